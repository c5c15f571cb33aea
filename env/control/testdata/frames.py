"""Writes frame-*.png: the cartpole drawn by MuJoCo at 64x64 from camera 0.

Run as `MUJOCO_GL=osmesa python frames.py` with the packages mujoco (3.2.7 was
used), numpy and pillow. The model is the suite's with its visual assets written
out; only the stars of the sky are left out, because their places are random.
"""

import mujoco
from PIL import Image

MODEL = """
<mujoco>
  <asset>
    <texture name="skybox" type="skybox" builtin="gradient" rgb1=".4 .6 .8" rgb2="0 0 0" width="800" height="800"/>
    <texture name="grid" type="2d" builtin="checker" rgb1=".1 .2 .3" rgb2=".2 .3 .4" width="300" height="300" mark="edge" markrgb=".2 .3 .4"/>
    <material name="grid" texture="grid" texrepeat="1 1" texuniform="true" reflectance=".2"/>
    <material name="self" rgba=".7 .5 .3 1"/>
    <material name="decoration" rgba=".3 .5 .7 1"/>
  </asset>
  <visual>
    <headlight ambient=".4 .4 .4" diffuse=".8 .8 .8" specular="0.1 0.1 0.1"/>
    <map znear=".01"/>
    <quality shadowsize="2048"/>
  </visual>
  <worldbody>
    <light pos="0 0 6"/>
    <camera pos="0 -4 1" zaxis="0 -1 0"/>
    <geom pos="0 0 -.05" size="4 4 .2" type="plane" material="grid"/>
    <geom pos="0 .07 1" zaxis="1 0 0" size="0.02 2" type="capsule" material="decoration"/>
    <geom pos="0 -.07 1" zaxis="1 0 0" size="0.02 2" type="capsule" material="decoration"/>
    <body pos="0 0 1">
      <joint type="slide" axis="1 0 0"/>
      <geom type="box" size="0.2 0.15 0.1" material="self" mass="1"/>
      <body>
        <joint type="hinge" axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0 0 0 1" size="0.045" material="self" mass=".1"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""

POSES = {"hanging": (0.0, 3.141592653589793), "swinging": (0.7, 0.6), "leaving": (-1.7, 2.0)}

model = mujoco.MjModel.from_xml_string(MODEL)
data = mujoco.MjData(model)
with mujoco.Renderer(model, 64, 64) as renderer:
    for name, pose in POSES.items():
        data.qpos[:] = pose
        mujoco.mj_forward(model, data)
        renderer.update_scene(data, camera=0)
        Image.fromarray(renderer.render()).save(f"frame-{name}.png", optimize=True)
