//go:build mujoco

// OpenGL contexts without a window, from EGL or OSMesa. The libraries are loaded
// when the first context is made, so that a program that draws nothing needs
// neither, and no GL headers are needed to compile.
#ifndef ORRERY_MJ_GL_H
#define ORRERY_MJ_GL_H

#include "shim.h"

enum { MJX_OSMESA = 1, MJX_EGL = 2 };

// mjx_glLoad loads the library for kind. MuJoCo looks for GL functions in the
// whole process and takes EGL's where it sees any, so that only one of the two
// libraries may ever be loaded. It returns 0, or a reason with its text in error.
enum { MJX_MISSING = 1, MJX_CONFLICT = 2 };
int mjx_glLoad(int kind, char error[MJX_TEXT]);

// mjx_glLoaded is the kind in use by this process, 0 before the first.
int mjx_glLoaded(void);

typedef struct mjx_gl_ mjx_gl;

// mjx_glNew makes a context and makes it current on the calling thread; NULL with
// a text in error if that fails. The library must be loaded.
mjx_gl* mjx_glNew(int width, int height, char error[MJX_TEXT]);

// mjx_glCurrent reports whether gl is current on the calling thread.
int mjx_glCurrent(const mjx_gl* gl);

// mjx_glFree destroys the context, on the thread that made it.
void mjx_glFree(mjx_gl* gl);

#endif
