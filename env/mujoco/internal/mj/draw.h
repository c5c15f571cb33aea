//go:build mujoco

#ifndef ORRERY_MJ_DRAW_H
#define ORRERY_MJ_DRAW_H

#include "gl.h"

// mjx_view is a scene as MuJoCo would draw it. It needs no OpenGL.
typedef struct {
  mjvScene scene;
  mjvOption option;
  mjvPerturb perturb;
  mjvCamera camera;
} mjx_view;

mjx_view* mjx_newView(const mjModel* m, mjx_report* report);
void mjx_updateView(mjx_view* v, const mjModel* m, mjData* d, int camera, mjx_report* report);
void mjx_freeView(mjx_view* v);

// mjx_canvas is a view with OpenGL objects for its pixels. All its functions are
// for the thread that made it.
typedef struct {
  mjx_view* view;
  mjx_gl* gl;
  mjrContext context;
  int made;  // whether context holds anything
  mjrRect rect;
  unsigned char* pixels;  // from the bottom row up
} mjx_canvas;

// mjx_newCanvas needs a loaded GL library. If fast, round shapes have fewer
// facets and the shadow map fewer pixels.
mjx_canvas* mjx_newCanvas(const mjModel* m, int width, int height, int fast, mjx_report* report);

// mjx_draw writes height x width x 3 bytes, from the top row down.
void mjx_draw(mjx_canvas* c, const mjModel* m, mjData* d, int camera, unsigned char* rgb, mjx_report* report);
void mjx_freeCanvas(mjx_canvas* c);

#endif
