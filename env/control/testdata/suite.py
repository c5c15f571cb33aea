"""Writes suite.csv: trajectories of the other tasks computed by MuJoCo.

Run as `python suite.py > suite.csv` with the package mujoco (3.2.7 was used). The
models are the suite's with every number written out. Each line is

    model, trajectory, step, positions..., velocities...

after `step` env steps; step 0 is the initial state. Controls follow the rule in
`control`, which the Go test repeats; it needs only integers and one division.
"""

import mujoco

MODELS = {
    "reacher": """
<mujoco>
  <option timestep="0.02"><flag contact="disable"/></option>
  <default><joint type="hinge" axis="0 0 1" damping="0.01"/></default>
  <worldbody>
    <body name="arm" pos="0 0 .01">
      <geom type="capsule" fromto="0 0 0 0.12 0 0" size=".01"/>
      <joint name="shoulder"/>
      <body name="hand" pos=".12 0 0">
        <geom type="capsule" fromto="0 0 0 0.1 0 0" size=".01"/>
        <joint name="wrist" limited="true" range="-160 160"/>
        <body name="finger" pos=".12 0 0"><geom type="sphere" size=".01"/></body>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor joint="shoulder" gear=".05" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="wrist" gear=".05" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
""",
    "pendulum": """
<mujoco>
  <option timestep="0.02"><flag contact="disable"/></option>
  <worldbody>
    <body pos="0 0 .6">
      <joint name="hinge" type="hinge" axis="0 1 0" damping="0.1"/>
      <geom type="sphere" pos="0 0 0.5" size="0.05" mass="1"/>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" gear="1" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
""",
    "acrobot": """
<mujoco>
  <default><joint damping=".05"/><geom type="capsule" mass="1"/></default>
  <option timestep="0.01" integrator="RK4"><flag constraint="disable"/></option>
  <worldbody>
    <body pos="0 0 2">
      <joint name="shoulder" type="hinge" axis="0 1 0"/>
      <geom fromto="0 0 0 0 0 1" size="0.05"/>
      <body pos="0 0 1">
        <joint name="elbow" type="hinge" axis="0 1 0"/>
        <geom fromto="0 0 0 0 0 1" size="0.049"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="elbow" gear="2" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
""",
    "point_mass": """
<mujoco>
  <option timestep="0.02"><flag contact="disable"/></option>
  <default><joint limited="true" range="-.29 .29" damping="1"/></default>
  <worldbody>
    <body pos="0 0 .01">
      <joint name="root_x" type="slide" axis="1 0 0"/>
      <joint name="root_y" type="slide" axis="0 1 0"/>
      <geom type="sphere" size=".01" mass=".3"/>
    </body>
  </worldbody>
  <actuator>
    <motor joint="root_x" gear=".1" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="root_y" gear=".1" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
""",
}

# model: initial positions and velocities of each trajectory, and its kind of
# controls: 0 varied, 1 to one side, which reaches the limits of joints.
STARTS = {
    "reacher": [((0.3, -1.0), (0.0, 0.0), 0), ((-2.0, 2.5), (0.5, 3.0), 1)],
    "pendulum": [((3.0,), (0.0,), 0), ((1.0,), (-2.0,), 1)],
    "acrobot": [((3.1, 0.1), (0.0, 0.0), 0)],
    "point_mass": [((0.1, -0.2), (0.0, 0.0), 0), ((0.25, -0.28), (0.0, 0.0), 1)],
}


def control(kind, step, i):
    """A new value every 8 steps."""
    if kind == 1:
        return 1.5 if i % 2 == 0 else (-1.0 if step < 300 else 1.0)
    return ((step // 8 + 3 * i) * 7919 % 201 - 100) / 100.0


for name, text in MODELS.items():
    model = mujoco.MjModel.from_xml_string(text)
    for trajectory, (position, velocity, kind) in enumerate(STARTS[name]):
        data = mujoco.MjData(model)
        data.qpos[:] = position
        data.qvel[:] = velocity
        for step in range(1001):
            if step % 10 == 0 or step < 10:
                values = [*data.qpos, *data.qvel]
                print(name, trajectory, step, *(repr(float(v)) for v in values), sep=",")
            for i in range(model.nu):
                data.ctrl[i] = control(kind, step, i)
            mujoco.mj_step(model, data)
