//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// Views of the state and of what is computed from it, to be read and written.
// Rows are by id.

// Qpos are the positions, nq.
func (d *Data) Qpos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qpos), int(d.m.nq))
}

// Qvel are the velocities, nv.
func (d *Data) Qvel() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qvel), int(d.m.nv))
}

// Qacc are the accelerations, nv.
func (d *Data) Qacc() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qacc), int(d.m.nv))
}

// QaccWarmstart are the where the solver starts, nv.
func (d *Data) QaccWarmstart() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qacc_warmstart), int(d.m.nv))
}

// Act are the activations of the actuators, na.
func (d *Data) Act() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.act), int(d.m.na))
}

// Ctrl are the controls, nu.
func (d *Data) Ctrl() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.ctrl), int(d.m.nu))
}

// QfrcApplied are the applied generalised forces, nv.
func (d *Data) QfrcApplied() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qfrc_applied), int(d.m.nv))
}

// XfrcApplied are the applied forces and torques, nbody x 6.
func (d *Data) XfrcApplied() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.xfrc_applied), 6*int(d.m.nbody))
}

// MocapPos are the positions of the mocap bodies, m, nmocap x 3.
func (d *Data) MocapPos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.mocap_pos), 3*int(d.m.nmocap))
}

// MocapQuat are the orientations of the mocap bodies, nmocap x 4.
func (d *Data) MocapQuat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.mocap_quat), 4*int(d.m.nmocap))
}

// Sensordata are the all sensors, nsensordata.
func (d *Data) Sensordata() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.sensordata), int(d.m.nsensordata))
}

// Xpos are the positions of the bodies, m, nbody x 3.
func (d *Data) Xpos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.xpos), 3*int(d.m.nbody))
}

// Xquat are the orientations of the bodies, nbody x 4.
func (d *Data) Xquat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.xquat), 4*int(d.m.nbody))
}

// Xmat are the orientations of the bodies, row-major, nbody x 9.
func (d *Data) Xmat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.xmat), 9*int(d.m.nbody))
}

// Xipos are the centres of mass of the bodies, m, nbody x 3.
func (d *Data) Xipos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.xipos), 3*int(d.m.nbody))
}

// GeomXpos are the positions of the geoms, m, ngeom x 3.
func (d *Data) GeomXpos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.geom_xpos), 3*int(d.m.ngeom))
}

// GeomXmat are the orientations of the geoms, row-major, ngeom x 9.
func (d *Data) GeomXmat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.geom_xmat), 9*int(d.m.ngeom))
}

// SiteXpos are the positions of the sites, m, nsite x 3.
func (d *Data) SiteXpos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.site_xpos), 3*int(d.m.nsite))
}

// SiteXmat are the orientations of the sites, row-major, nsite x 9.
func (d *Data) SiteXmat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.site_xmat), 9*int(d.m.nsite))
}

// CameraXpos are the positions of the cameras, m, ncam x 3.
func (d *Data) CameraXpos() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.cam_xpos), 3*int(d.m.ncam))
}

// CameraXmat are the orientations of the cameras, row-major, ncam x 9.
func (d *Data) CameraXmat() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.cam_xmat), 9*int(d.m.ncam))
}

// SubtreeCOM are the centres of mass of the bodies with all their descendants, m, nbody x 3.
func (d *Data) SubtreeCOM() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.subtree_com), 3*int(d.m.nbody))
}

// SubtreeLinvel are the velocities of SubtreeCOM, m/s, nbody x 3; only up to date if a subtree sensor needs them.
func (d *Data) SubtreeLinvel() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.subtree_linvel), 3*int(d.m.nbody))
}

// SubtreeAngmom are the angular momenta about SubtreeCOM, nbody x 3; see SubtreeLinvel.
func (d *Data) SubtreeAngmom() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.subtree_angmom), 3*int(d.m.nbody))
}

// TendonLength are the lengths of the tendons, m, ntendon.
func (d *Data) TendonLength() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.ten_length), int(d.m.ntendon))
}

// TendonVelocity are the velocities of the tendons, m/s, ntendon.
func (d *Data) TendonVelocity() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.ten_velocity), int(d.m.ntendon))
}

// ActuatorLength are the lengths of the actuators, nu.
func (d *Data) ActuatorLength() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.actuator_length), int(d.m.nu))
}

// ActuatorVelocity are the velocities of the actuators, nu.
func (d *Data) ActuatorVelocity() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.actuator_velocity), int(d.m.nu))
}

// ActuatorForce are the forces of the actuators, nu.
func (d *Data) ActuatorForce() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.actuator_force), int(d.m.nu))
}

// QfrcActuator are the forces of the actuators on the joints, nv.
func (d *Data) QfrcActuator() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qfrc_actuator), int(d.m.nv))
}

// QfrcConstraint are the forces of contacts and limits on the joints, nv.
func (d *Data) QfrcConstraint() []float64 {
	if d.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(d.c.qfrc_constraint), int(d.m.nv))
}
