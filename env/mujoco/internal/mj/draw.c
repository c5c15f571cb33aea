//go:build mujoco

#include "draw.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_GEOMS = 2000, FONT_SCALE = 50 };

static void fail(mjx_report* report, const char* text) {
  report->failed = MJX_RAISED;
  snprintf(report->error, MJX_TEXT, "%s", text);
}

mjx_view* mjx_newView(const mjModel* m, mjx_report* report) {
  mjx_view* v = calloc(1, sizeof *v);
  if (!v) {
    fail(report, "out of memory");
    return NULL;
  }
  mjv_defaultScene(&v->scene);
  mjv_defaultOption(&v->option);
  mjv_defaultPerturb(&v->perturb);
  mjv_defaultCamera(&v->camera);
  v->option.flags[mjVIS_RANGEFINDER] = 0;  // as the suite has it
  v->camera.type = mjCAMERA_FIXED;
  MJX_GUARD(report) { mjv_makeScene(m, &v->scene, MAX_GEOMS); } MJX_UNGUARD;
  return v;
}

void mjx_updateView(mjx_view* v, const mjModel* m, mjData* d, int camera, mjx_report* report) {
  v->camera.fixedcamid = camera;
  MJX_GUARD(report) {
    mjv_updateScene(m, d, &v->option, &v->perturb, &v->camera, mjCAT_ALL, &v->scene);
  } MJX_UNGUARD;
  if (report->failed || v->scene.ngeom < v->scene.maxgeom) return;
  report->failed = MJX_FULL;
  snprintf(report->error, MJX_TEXT, "a picture has room for less than %d geoms", v->scene.maxgeom);
}

void mjx_freeView(mjx_view* v) {
  mjv_freeScene(&v->scene);
  free(v);
}

// makeContext uploads the model's textures and shapes. The model itself is left
// alone: only the copy has the canvas's size and quality.
static void makeContext(mjx_canvas* c, const mjModel* m, int fast, mjx_report* report) {
  mjModel copy = *m;  // shares all arrays
  copy.vis.global.offwidth = c->rect.width;
  copy.vis.global.offheight = c->rect.height;
  if (fast) {
    copy.vis.quality.shadowsize = 512;
    copy.vis.quality.numslices = 14;
    copy.vis.quality.numstacks = 8;
    copy.vis.quality.numquads = 2;
  }
  mjr_defaultContext(&c->context);
  MJX_GUARD(report) {
    mjr_makeContext(&copy, &c->context, FONT_SCALE);
    c->made = 1;
    mjr_setBuffer(mjFB_OFFSCREEN, &c->context);
  } MJX_UNGUARD;
  if (!report->failed && c->context.currentBuffer != mjFB_OFFSCREEN) fail(report, "there is no offscreen buffer");
}

mjx_canvas* mjx_newCanvas(const mjModel* m, int width, int height, int fast, mjx_report* report) {
  mjx_canvas* c = calloc(1, sizeof *c);
  if (!c) {
    fail(report, "out of memory");
    return NULL;
  }
  c->rect.width = width;
  c->rect.height = height;
  c->pixels = malloc((size_t)width * (size_t)height * 3);
  c->view = mjx_newView(m, report);
  if (!report->failed && !c->pixels) fail(report, "out of memory");
  if (!report->failed && !(c->gl = mjx_glNew(width, height, report->error))) report->failed = MJX_RAISED;
  if (!report->failed) makeContext(c, m, fast, report);
  if (!report->failed) return c;
  mjx_freeCanvas(c);
  return NULL;
}

// flip reverses the order of the rows.
static void flip(unsigned char* dst, const unsigned char* src, int width, int height) {
  size_t row = (size_t)width * 3;
  for (int y = 0; y < height; y++) memcpy(dst + y * row, src + (height - 1 - y) * row, row);
}

void mjx_draw(mjx_canvas* c, const mjModel* m, mjData* d, int camera, unsigned char* rgb, mjx_report* report) {
  // Without a current context OpenGL does nothing and says nothing, and the
  // pixels would be those of the frame before.
  if (!mjx_glCurrent(c->gl)) {
    fail(report, "the OpenGL context is not current on this thread");
    return;
  }
  mjx_updateView(c->view, m, d, camera, report);
  if (report->failed) return;
  MJX_GUARD(report) {
    mjr_render(c->rect, &c->view->scene, &c->context);
    mjr_readPixels(c->pixels, NULL, c->rect, &c->context);
  } MJX_UNGUARD;
  if (report->failed) return;
  int code = mjr_getError();
  if (code) {
    fail(report, "");
    snprintf(report->error, MJX_TEXT, "OpenGL error 0x%x", (unsigned)code);
    return;
  }
  flip(rgb, c->pixels, c->rect.width, c->rect.height);
}

void mjx_freeCanvas(mjx_canvas* c) {
  mjx_report ignored;
  if (c->made) {
    MJX_GUARD(&ignored) { mjr_freeContext(&c->context); } MJX_UNGUARD;
  }
  if (c->gl) mjx_glFree(c->gl);
  if (c->view) mjx_freeView(c->view);
  free(c->pixels);
  free(c);
}
