//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"strings"
)

// Kind is a kind of element of a model.
type Kind int

// The kinds whose elements have names.
const (
	Body     Kind = C.mjOBJ_BODY
	Joint    Kind = C.mjOBJ_JOINT
	Geom     Kind = C.mjOBJ_GEOM
	Site     Kind = C.mjOBJ_SITE
	Camera   Kind = C.mjOBJ_CAMERA
	Light    Kind = C.mjOBJ_LIGHT
	Texture  Kind = C.mjOBJ_TEXTURE
	Material Kind = C.mjOBJ_MATERIAL
	Tendon   Kind = C.mjOBJ_TENDON
	Actuator Kind = C.mjOBJ_ACTUATOR
	Sensor   Kind = C.mjOBJ_SENSOR
	Keyframe Kind = C.mjOBJ_KEY
)

func (k Kind) String() string {
	switch k {
	case Body:
		return "body"
	case Joint:
		return "joint"
	case Geom:
		return "geom"
	case Site:
		return "site"
	case Camera:
		return "camera"
	case Light:
		return "light"
	case Texture:
		return "texture"
	case Material:
		return "material"
	case Tendon:
		return "tendon"
	case Actuator:
		return "actuator"
	case Sensor:
		return "sensor"
	case Keyframe:
		return "keyframe"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// names has the names of all elements by kind and id; elements without one have
// the empty name.
type names map[Kind][]string

func namesOf(m *C.mjModel) names {
	n := names{}
	for kind, count := range map[Kind]int{
		Body: int(m.nbody), Joint: int(m.njnt), Geom: int(m.ngeom), Site: int(m.nsite), Camera: int(m.ncam),
		Light: int(m.nlight), Texture: int(m.ntex), Material: int(m.nmat), Tendon: int(m.ntendon),
		Actuator: int(m.nu), Sensor: int(m.nsensor), Keyframe: int(m.nkey),
	} {
		for id := range count {
			n[kind] = append(n[kind], C.GoString(C.mj_id2name(m, C.int(kind), C.int(id))))
		}
	}
	return n
}

// Count is the number of elements of a kind.
func (m *Model) Count(kind Kind) int { return len(m.names[kind]) }

// Names are the names of all elements of a kind by id, empty where there is
// none. The caller must not change them.
func (m *Model) Names(kind Kind) []string { return m.names[kind] }

// ID is the number of the named element among those of its kind. It fails with
// [ErrName] and says which names there are.
func (m *Model) ID(kind Kind, name string) (int, error) {
	for id, n := range m.names[kind] {
		if n == name && name != "" {
			return id, nil
		}
	}
	return 0, fmt.Errorf("%w: no %s is named %q; the model has %s", ErrName, kind, name, listed(m.names[kind]))
}

// listed quotes the names there are.
func listed(all []string) string {
	var quoted []string
	for _, n := range all {
		if n != "" {
			quoted = append(quoted, fmt.Sprintf("%q", n))
		}
	}
	if quoted == nil {
		return fmt.Sprintf("%d, none with a name", len(all))
	}
	return strings.Join(quoted, ", ")
}
