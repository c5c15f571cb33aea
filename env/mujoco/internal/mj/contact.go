//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// Contact is two geoms that touch or nearly touch.
type Contact struct {
	Geom1, Geom2 int
	Distance     float64    // m, negative if they overlap
	Position     [3]float64 // of the middle between them, m
	Normal       [3]float64 // from Geom1 to Geom2
}

// NumContacts is the number of contacts at the last computed position.
func (d *Data) NumContacts() int {
	if d.c == nil {
		return 0
	}
	return int(d.c.ncon)
}

// Contacts lists the contacts at the last computed position.
func (d *Data) Contacts() []Contact {
	n := d.NumContacts()
	if n == 0 {
		return nil
	}
	var all []Contact
	for i := range unsafe.Slice(d.c.contact, n) {
		c := &unsafe.Slice(d.c.contact, n)[i]
		contact := Contact{
			Geom1: int(C.mjx_contactGeom(c, 0)), Geom2: int(C.mjx_contactGeom(c, 1)),
			Distance: float64(c.dist),
		}
		for k := range 3 {
			contact.Position[k], contact.Normal[k] = float64(c.pos[k]), float64(c.frame[k])
		}
		all = append(all, contact)
	}
	return all
}
