//go:build mujoco

#include "gl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// From GL/osmesa.h.
typedef void* OSMesaContext;
enum { OSMESA_RGBA = 0x1908, GL_UNSIGNED_BYTE = 0x1401 };

// From EGL/egl.h and EGL/eglext.h.
typedef void *EGLDisplay, *EGLConfig, *EGLContext, *EGLSurface, *EGLDeviceEXT;
typedef int32_t EGLint;
typedef unsigned int EGLBoolean, EGLenum;
enum {
  EGL_ALPHA_SIZE = 0x3021, EGL_BLUE_SIZE = 0x3022, EGL_GREEN_SIZE = 0x3023, EGL_RED_SIZE = 0x3024,
  EGL_DEPTH_SIZE = 0x3025, EGL_STENCIL_SIZE = 0x3026, EGL_SURFACE_TYPE = 0x3033, EGL_NONE = 0x3038,
  EGL_RENDERABLE_TYPE = 0x3040, EGL_PBUFFER_BIT = 0x0001, EGL_OPENGL_BIT = 0x0008,
  EGL_OPENGL_API = 0x30A2, EGL_PLATFORM_DEVICE_EXT = 0x313F, EGL_PLATFORM_SURFACELESS_MESA = 0x31DD,
  MAX_DEVICES = 32
};

static struct {
  int kind;  // 0 until loaded
  // OSMesa
  OSMesaContext (*createContext)(EGLenum, EGLint, EGLint, EGLint, OSMesaContext);
  unsigned char (*makeBufferCurrent)(OSMesaContext, void*, EGLenum, EGLint, EGLint);
  void (*destroyContext)(OSMesaContext);
  OSMesaContext (*currentContext)(void);
  // EGL
  EGLDisplay display;
  EGLConfig config;
  void* (*getProcAddress)(const char*);
  EGLBoolean (*initialize)(EGLDisplay, EGLint*, EGLint*);
  EGLBoolean (*bindAPI)(EGLenum);
  EGLBoolean (*chooseConfig)(EGLDisplay, const EGLint*, EGLConfig*, EGLint, EGLint*);
  EGLContext (*eglCreateContext)(EGLDisplay, EGLConfig, EGLContext, const EGLint*);
  EGLBoolean (*eglMakeCurrent)(EGLDisplay, EGLSurface, EGLSurface, EGLContext);
  EGLBoolean (*eglDestroyContext)(EGLDisplay, EGLContext);
  EGLContext (*eglGetCurrentContext)(void);
  EGLBoolean (*eglReleaseThread)(void);
  EGLint (*getError)(void);
} lib;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct mjx_gl_ {
  void* context;
  void* buffer;  // OSMesa draws here; nobody reads it
};

static const char* const files[3][4] = {
  {NULL},
  {"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", NULL},
  {"libEGL.so.1", "libEGL.so", NULL},
};

static void* openAny(int kind, int flags) {
  for (int i = 0; files[kind][i]; i++) {
    void* handle = dlopen(files[kind][i], flags);
    if (handle) return handle;
  }
  return NULL;
}

static int resolve(void* handle, void** target, const char* name, char* error) {
  *target = dlsym(handle, name);
  if (!*target) snprintf(error, MJX_TEXT, "the library has no function %s", name);
  return *target != NULL;
}

static int loadOSMesa(void* handle, char* error) {
  return resolve(handle, (void**)&lib.createContext, "OSMesaCreateContextExt", error) &&
         resolve(handle, (void**)&lib.makeBufferCurrent, "OSMesaMakeCurrent", error) &&
         resolve(handle, (void**)&lib.destroyContext, "OSMesaDestroyContext", error) &&
         resolve(handle, (void**)&lib.currentContext, "OSMesaGetCurrentContext", error);
}

// openDisplay tries every device, as a graphics card is one, and then Mesa's
// platform without any.
static int openDisplay(char* error) {
  EGLDisplay (*platform)(EGLenum, void*, const EGLint*) = (EGLDisplay(*)(EGLenum, void*, const EGLint*))lib.getProcAddress("eglGetPlatformDisplayEXT");
  EGLBoolean (*query)(EGLint, EGLDeviceEXT*, EGLint*) = (EGLBoolean(*)(EGLint, EGLDeviceEXT*, EGLint*))lib.getProcAddress("eglQueryDevicesEXT");
  if (!platform) {
    snprintf(error, MJX_TEXT, "EGL has no eglGetPlatformDisplayEXT");
    return 0;
  }
  EGLDeviceEXT devices[MAX_DEVICES];
  EGLint n = 0;
  if (!query || !query(MAX_DEVICES, devices, &n)) n = 0;
  for (EGLint i = 0; i <= n; i++) {
    EGLDisplay d = i < n ? platform(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL)
                         : platform(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    if (d && lib.initialize(d, NULL, NULL)) {
      lib.display = d;
      return 1;
    }
  }
  snprintf(error, MJX_TEXT, "EGL finds no display: error 0x%x after %d devices", (unsigned)lib.getError(), (int)n);
  return 0;
}

static int chooseConfig(char* error) {
  const EGLint wanted[] = {
    EGL_RED_SIZE, 8, EGL_GREEN_SIZE, 8, EGL_BLUE_SIZE, 8, EGL_ALPHA_SIZE, 8, EGL_DEPTH_SIZE, 24, EGL_STENCIL_SIZE, 8,
    EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE,
  };
  EGLint n = 0;
  if (lib.chooseConfig(lib.display, wanted, &lib.config, 1, &n) && n > 0) return 1;
  snprintf(error, MJX_TEXT, "EGL has no fitting configuration: error 0x%x", (unsigned)lib.getError());
  return 0;
}

static int loadEGL(void* handle, char* error) {
  return resolve(handle, (void**)&lib.getProcAddress, "eglGetProcAddress", error) &&
         resolve(handle, (void**)&lib.initialize, "eglInitialize", error) &&
         resolve(handle, (void**)&lib.bindAPI, "eglBindAPI", error) &&
         resolve(handle, (void**)&lib.chooseConfig, "eglChooseConfig", error) &&
         resolve(handle, (void**)&lib.eglCreateContext, "eglCreateContext", error) &&
         resolve(handle, (void**)&lib.eglMakeCurrent, "eglMakeCurrent", error) &&
         resolve(handle, (void**)&lib.eglDestroyContext, "eglDestroyContext", error) &&
         resolve(handle, (void**)&lib.eglGetCurrentContext, "eglGetCurrentContext", error) &&
         resolve(handle, (void**)&lib.eglReleaseThread, "eglReleaseThread", error) &&
         resolve(handle, (void**)&lib.getError, "eglGetError", error) &&
         openDisplay(error) && chooseConfig(error);
}

static int loadLocked(int kind, char* error) {
  if (lib.kind == kind) return 0;
  int other = MJX_OSMESA + MJX_EGL - kind;
  if (lib.kind || openAny(other, RTLD_NOW | RTLD_NOLOAD)) {
    snprintf(error, MJX_TEXT, "%s is loaded already", files[other][0]);
    return MJX_CONFLICT;
  }
  // Global, so that MuJoCo finds its symbols.
  void* handle = openAny(kind, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) {
    const char* reason = dlerror();
    snprintf(error, MJX_TEXT, "%s cannot be loaded (%s)", files[kind][0], reason ? reason : "unknown");
    return MJX_MISSING;
  }
  if (!(kind == MJX_EGL ? loadEGL(handle, error) : loadOSMesa(handle, error))) return MJX_MISSING;
  lib.kind = kind;
  return 0;
}

int mjx_glLoad(int kind, char error[MJX_TEXT]) {
  pthread_mutex_lock(&lock);
  int status = loadLocked(kind, error);
  pthread_mutex_unlock(&lock);
  return status;
}

int mjx_glLoaded(void) {
  pthread_mutex_lock(&lock);
  int kind = lib.kind;
  pthread_mutex_unlock(&lock);
  return kind;
}

static int newOSMesa(mjx_gl* gl, int width, int height) {
  gl->buffer = malloc((size_t)width * (size_t)height * 4);
  gl->context = lib.createContext(OSMESA_RGBA, 24, 8, 0, NULL);
  return gl->buffer && gl->context && lib.makeBufferCurrent(gl->context, gl->buffer, GL_UNSIGNED_BYTE, width, height);
}

static int newEGL(mjx_gl* gl) {
  if (!lib.bindAPI(EGL_OPENGL_API)) return 0;
  gl->context = lib.eglCreateContext(lib.display, lib.config, NULL, NULL);
  return gl->context && lib.eglMakeCurrent(lib.display, NULL, NULL, gl->context);
}

mjx_gl* mjx_glNew(int width, int height, char error[MJX_TEXT]) {
  mjx_gl* gl = calloc(1, sizeof *gl);
  if (gl && (lib.kind == MJX_EGL ? newEGL(gl) : newOSMesa(gl, width, height))) return gl;
  snprintf(error, MJX_TEXT, "%s makes no context for %dx%d pixels (error 0x%x)", files[lib.kind][0], width, height,
           lib.kind == MJX_EGL ? (unsigned)lib.getError() : 0);
  if (gl) mjx_glFree(gl);
  return NULL;
}

int mjx_glCurrent(const mjx_gl* gl) {
  return gl->context == (lib.kind == MJX_EGL ? lib.eglGetCurrentContext() : lib.currentContext());
}

void mjx_glFree(mjx_gl* gl) {
  if (lib.kind == MJX_EGL) {
    lib.eglMakeCurrent(lib.display, NULL, NULL, NULL);
    if (gl->context) lib.eglDestroyContext(lib.display, gl->context);
    lib.eglReleaseThread();
  } else if (gl->context) {
    lib.makeBufferCurrent(NULL, NULL, GL_UNSIGNED_BYTE, 0, 0);
    lib.destroyContext(gl->context);
  }
  free(gl->buffer);
  free(gl);
}
