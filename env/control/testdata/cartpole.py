"""Writes cartpole.csv: trajectories of the cartpole computed by MuJoCo.

Run as `python cartpole.py > cartpole.csv` with the package mujoco (3.2.7 was
used). The model is the suite's, with every number written out. Each line is

    trajectory, step, cart x, pole angle, cart velocity, pole velocity

after `step` env steps; step 0 is the initial state. Controls follow the rule in
`control`, which the Go test repeats; it needs only integers and one division.
"""

import mujoco

MODEL = """
<mujoco>
  <option timestep="0.01" integrator="RK4"><flag contact="disable"/></option>
  <worldbody>
    <body name="cart" pos="0 0 1">
      <joint name="slider" type="slide" axis="1 0 0" limited="true" range="-1.8 1.8" solreflimit=".08 1" damping="5e-4"/>
      <geom type="box" size="0.2 0.15 0.1" mass="1"/>
      <body name="pole" pos="0 0 0">
        <joint name="hinge" type="hinge" axis="0 1 0" damping="2e-6"/>
        <geom type="capsule" fromto="0 0 0 0 0 1" size="0.045" mass=".1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="slider" gear="10" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
"""


def control(trajectory, step):
    """A new value every 8 steps; trajectory 2 pushes to one side."""
    block = step // 8
    if trajectory == 2:
        return 1.5 if step < 150 else -1.0 if step < 300 else 0.25
    return (block * 7919 % 201 - 100) / scale[trajectory]


# name: (x, angle, cart velocity, pole velocity), steps
scale = {0: 100.0, 1: 400.0}
STARTS = [
    ((0.0, 3.141592653589793, 0.0, 0.0), 1000),
    ((0.1, 0.03, -0.2, 1.5), 1000),
    ((1.2, 2.0, 0.0, -3.0), 600),
]

model = mujoco.MjModel.from_xml_string(MODEL)
for trajectory, (start, steps) in enumerate(STARTS):
    data = mujoco.MjData(model)
    data.qpos[:] = start[:2]
    data.qvel[:] = start[2:]
    for step in range(steps + 1):
        if step % 5 == 0:
            values = [*data.qpos, *data.qvel]
            print(trajectory, step, *(repr(float(v)) for v in values), sep=",")
        data.ctrl[0] = control(trajectory, step)
        mujoco.mj_step(model, data)
