//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// The sizes of the model: positions, velocities, controls, activations.

// Nq is the number of positions.
func (m *Model) Nq() int { return m.size(func(c *C.mjModel) int { return int(c.nq) }) }

// Nv is the number of velocities.
func (m *Model) Nv() int { return m.size(func(c *C.mjModel) int { return int(c.nv) }) }

// Nu is the number of controls.
func (m *Model) Nu() int { return m.size(func(c *C.mjModel) int { return int(c.nu) }) }

// Na is the number of activations.
func (m *Model) Na() int { return m.size(func(c *C.mjModel) int { return int(c.na) }) }

// Nsensordata is the number of numbers that all sensors give together.
func (m *Model) Nsensordata() int {
	return m.size(func(c *C.mjModel) int { return int(c.nsensordata) })
}

// Nbody is the number of bodies, the world included.
func (m *Model) Nbody() int { return m.Count(Body) }

// Ngeom is the number of geoms.
func (m *Model) Ngeom() int { return m.Count(Geom) }

// Nsite is the number of sites.
func (m *Model) Nsite() int { return m.Count(Site) }

func (m *Model) size(of func(*C.mjModel) int) int {
	if m.c == nil {
		return 0
	}
	return of(m.c)
}

// Timestep is the simulated time of one step in s.
func (m *Model) Timestep() float64 {
	if m.c == nil {
		return 0
	}
	return float64(m.c.opt.timestep)
}

// Integrator is 0 for Euler, 1 for RK4.
func (m *Model) Integrator() int {
	return m.size(func(c *C.mjModel) int { return int(c.opt.integrator) })
}

// Extent is the size of the model, in m, that distances of pictures are measured
// in.
func (m *Model) Extent() float64 {
	if m.c == nil {
		return 0
	}
	return float64(m.c.stat.extent)
}

// JointLimited tells which joints have limits, njnt.
func (m *Model) JointLimited() []bool {
	if m.c == nil {
		return nil
	}
	return bools(unsafe.Pointer(m.c.jnt_limited), int(m.c.njnt))
}

// ActuatorCtrlLimited tells which controls are clamped to their range, nu.
func (m *Model) ActuatorCtrlLimited() []bool {
	if m.c == nil {
		return nil
	}
	return bools(unsafe.Pointer(m.c.actuator_ctrllimited), int(m.c.nu))
}

// bools copies an array of flags of one byte each.
func bools(p unsafe.Pointer, n int) []bool {
	var out []bool
	for _, b := range unsafe.Slice((*byte)(p), n) {
		out = append(out, b != 0)
	}
	return out
}

func floats(p unsafe.Pointer, n int) []float64   { return unsafe.Slice((*float64)(p), n) }
func floats32(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }
func ints(p unsafe.Pointer, n int) []int32       { return unsafe.Slice((*int32)(p), n) }

// Views of the model's arrays, to be read and written. Rows are by id.

// Qpos0 are the the positions a reset gives, nq.
func (m *Model) Qpos0() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.qpos0), int(m.c.nq))
}

// BodyPos are the positions relative to the parent body, m, nbody x 3.
func (m *Model) BodyPos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.body_pos), 3*int(m.c.nbody))
}

// BodyQuat are the orientations relative to the parent body, nbody x 4.
func (m *Model) BodyQuat() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.body_quat), 4*int(m.c.nbody))
}

// BodyMass are the masses, kg, nbody.
func (m *Model) BodyMass() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.body_mass), int(m.c.nbody))
}

// BodyInertia are the diagonal inertias, kg m^2, nbody x 3.
func (m *Model) BodyInertia() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.body_inertia), 3*int(m.c.nbody))
}

// BodySubtreeMass are the masses of the bodies with all their descendants, kg, nbody.
func (m *Model) BodySubtreeMass() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.body_subtreemass), int(m.c.nbody))
}

// JointRange are the limits, rad or m, njnt x 2.
func (m *Model) JointRange() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.jnt_range), 2*int(m.c.njnt))
}

// JointAxis are the local axes, njnt x 3.
func (m *Model) JointAxis() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.jnt_axis), 3*int(m.c.njnt))
}

// JointPos are the local anchors, m, njnt x 3.
func (m *Model) JointPos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.jnt_pos), 3*int(m.c.njnt))
}

// JointStiffness are the stiffnesses, njnt.
func (m *Model) JointStiffness() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.jnt_stiffness), int(m.c.njnt))
}

// DofDamping are the damping coefficients, nv.
func (m *Model) DofDamping() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.dof_damping), int(m.c.nv))
}

// DofArmature are the rotor inertias, nv.
func (m *Model) DofArmature() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.dof_armature), int(m.c.nv))
}

// DofFrictionLoss are the friction losses, nv.
func (m *Model) DofFrictionLoss() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.dof_frictionloss), int(m.c.nv))
}

// GeomPos are the local positions, m, ngeom x 3.
func (m *Model) GeomPos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.geom_pos), 3*int(m.c.ngeom))
}

// GeomQuat are the local orientations, ngeom x 4.
func (m *Model) GeomQuat() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.geom_quat), 4*int(m.c.ngeom))
}

// GeomSize are the sizes by type, m, ngeom x 3.
func (m *Model) GeomSize() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.geom_size), 3*int(m.c.ngeom))
}

// GeomFriction are the slide, spin and roll friction, ngeom x 3.
func (m *Model) GeomFriction() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.geom_friction), 3*int(m.c.ngeom))
}

// SitePos are the local positions, m, nsite x 3.
func (m *Model) SitePos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.site_pos), 3*int(m.c.nsite))
}

// SiteQuat are the local orientations, nsite x 4.
func (m *Model) SiteQuat() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.site_quat), 4*int(m.c.nsite))
}

// SiteSize are the sizes by type, m, nsite x 3.
func (m *Model) SiteSize() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.site_size), 3*int(m.c.nsite))
}

// CameraPos are the local positions, m, ncam x 3.
func (m *Model) CameraPos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.cam_pos), 3*int(m.c.ncam))
}

// CameraQuat are the local orientations, ncam x 4.
func (m *Model) CameraQuat() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.cam_quat), 4*int(m.c.ncam))
}

// LightPos are the local positions, m, nlight x 3.
func (m *Model) LightPos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.light_pos), 3*int(m.c.nlight))
}

// LightDir are the local directions, nlight x 3.
func (m *Model) LightDir() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.light_dir), 3*int(m.c.nlight))
}

// TendonRange are the length limits, m, ntendon x 2.
func (m *Model) TendonRange() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.tendon_range), 2*int(m.c.ntendon))
}

// TendonStiffness are the stiffnesses, ntendon.
func (m *Model) TendonStiffness() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.tendon_stiffness), int(m.c.ntendon))
}

// TendonDamping are the damping coefficients, ntendon.
func (m *Model) TendonDamping() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.tendon_damping), int(m.c.ntendon))
}

// ActuatorCtrlRange are the ranges of the controls, nu x 2.
func (m *Model) ActuatorCtrlRange() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.actuator_ctrlrange), 2*int(m.c.nu))
}

// ActuatorGear are the gears, nu x 6.
func (m *Model) ActuatorGear() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.actuator_gear), 6*int(m.c.nu))
}

// KeyQpos are the positions of the keyframes, nkey x nq.
func (m *Model) KeyQpos() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.key_qpos), int(m.c.nkey)*int(m.c.nq))
}

// GeomRGBA are the colours and opacities, 0 to 1, ngeom x 4.
func (m *Model) GeomRGBA() []float32 {
	if m.c == nil {
		return nil
	}
	return floats32(unsafe.Pointer(m.c.geom_rgba), 4*int(m.c.ngeom))
}

// SiteRGBA are the colours and opacities, 0 to 1, nsite x 4.
func (m *Model) SiteRGBA() []float32 {
	if m.c == nil {
		return nil
	}
	return floats32(unsafe.Pointer(m.c.site_rgba), 4*int(m.c.nsite))
}

// MaterialRGBA are the colours and opacities, 0 to 1, nmat x 4.
func (m *Model) MaterialRGBA() []float32 {
	if m.c == nil {
		return nil
	}
	return floats32(unsafe.Pointer(m.c.mat_rgba), 4*int(m.c.nmat))
}

// TendonRGBA are the colours and opacities, 0 to 1, ntendon x 4.
func (m *Model) TendonRGBA() []float32 {
	if m.c == nil {
		return nil
	}
	return floats32(unsafe.Pointer(m.c.tendon_rgba), 4*int(m.c.ntendon))
}

// BodyParent are the parent bodies, nbody.
func (m *Model) BodyParent() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.body_parentid), int(m.c.nbody))
}

// JointType are the types: 0 free, 1 ball, 2 slide, 3 hinge, njnt.
func (m *Model) JointType() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.jnt_type), int(m.c.njnt))
}

// JointBody are the bodies that the joints move, njnt.
func (m *Model) JointBody() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.jnt_bodyid), int(m.c.njnt))
}

// JointQposAddr are the first index in qpos, njnt.
func (m *Model) JointQposAddr() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.jnt_qposadr), int(m.c.njnt))
}

// JointDofAddr are the first index in qvel, njnt.
func (m *Model) JointDofAddr() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.jnt_dofadr), int(m.c.njnt))
}

// GeomType are the types: 0 plane, 2 sphere, 3 capsule, 4 ellipsoid, 5 cylinder, 6 box, ngeom.
func (m *Model) GeomType() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_type), int(m.c.ngeom))
}

// GeomBody are the bodies that carry the geoms, ngeom.
func (m *Model) GeomBody() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_bodyid), int(m.c.ngeom))
}

// GeomMaterial are the materials, -1 for none, ngeom.
func (m *Model) GeomMaterial() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_matid), int(m.c.ngeom))
}

// GeomGroup are the visibility groups, ngeom.
func (m *Model) GeomGroup() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_group), int(m.c.ngeom))
}

// GeomContype are the collision types, ngeom.
func (m *Model) GeomContype() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_contype), int(m.c.ngeom))
}

// GeomConaffinity are the collision affinities, ngeom.
func (m *Model) GeomConaffinity() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.geom_conaffinity), int(m.c.ngeom))
}

// SiteBody are the bodies that carry the sites, nsite.
func (m *Model) SiteBody() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.site_bodyid), int(m.c.nsite))
}

// SiteGroup are the visibility groups, nsite.
func (m *Model) SiteGroup() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.site_group), int(m.c.nsite))
}

// CameraBody are the bodies that carry the cameras, ncam.
func (m *Model) CameraBody() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.cam_bodyid), int(m.c.ncam))
}

// SensorAddr are the first index in sensordata, nsensor.
func (m *Model) SensorAddr() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.sensor_adr), int(m.c.nsensor))
}

// SensorDim are the numbers that a sensor gives, nsensor.
func (m *Model) SensorDim() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.sensor_dim), int(m.c.nsensor))
}

// ActuatorTransmission are the joints, tendons or sites that are acted on, nu x 2.
func (m *Model) ActuatorTransmission() []int32 {
	if m.c == nil {
		return nil
	}
	return ints(unsafe.Pointer(m.c.actuator_trnid), 2*int(m.c.nu))
}
