//go:build mujoco

// What differs between the versions of MuJoCo, and nothing else.
#ifndef ORRERY_MJ_COMPAT_H
#define ORRERY_MJ_COMPAT_H

#include <mujoco/mujoco.h>
#include <string.h>

// mjx_addBuffer puts a copy of size bytes into the virtual file system. It
// returns 0, or 2 for a name that is taken and anything else for other failures.
static inline int mjx_addBuffer(mjVFS* vfs, const char* name, const void* data, int size) {
#if mjVERSION_HEADER < 300
  int status = mj_makeEmptyFileVFS(vfs, name, size);
  if (status == 0) {
    int i = mj_findFileVFS(vfs, name);
    if (i < 0) return -1;
    memcpy(vfs->filedata[i], data, (size_t)size);
  }
  return status;
#else
  return mj_addBufferVFS(vfs, name, data, size);
#endif
}

// mjx_texels are the bytes of texture tex; channels tells how many make a texel.
static inline const unsigned char* mjx_texels(const mjModel* m, int tex, int* channels) {
#if mjVERSION_HEADER < 320
  *channels = 3;
  return m->tex_rgb + m->tex_adr[tex];
#else
  *channels = (int)m->tex_nchannel[tex];
  return m->tex_data + m->tex_adr[tex];
#endif
}

// mjx_materialTexture is the colour texture of material mat, -1 for none.
static inline int mjx_materialTexture(const mjModel* m, int mat) {
#if mjVERSION_HEADER < 320
  return m->mat_texid[mat];
#else
  return m->mat_texid[mat*mjNTEXROLE + mjTEXROLE_RGB];
#endif
}

// mjx_material is the material of a textured geom of a scene of model m, -1 for
// none.
static inline int mjx_material(const mjModel* m, const mjvGeom* g) {
#if mjVERSION_HEADER < 320
  if (g->objtype == mjOBJ_GEOM) return m->geom_matid[g->objid];
  if (g->objtype == mjOBJ_SITE) return m->site_matid[g->objid];
  return -1;
#else
  (void)m;
  return g->matid;
#endif
}

// mjx_directional tells whether the rays of a light are parallel.
static inline int mjx_directional(const mjvLight* light) {
#if mjVERSION_HEADER < 333
  return light->directional;
#else
  return light->type == mjLIGHT_DIRECTIONAL;
#endif
}

// mjx_geomType is here because Go has no field named type.
static inline int mjx_geomType(const mjvGeom* g) { return g->type; }

// mjx_contactGeom is one of the two geoms of a contact.
static inline int mjx_contactGeom(const mjContact* c, int second) {
#if mjVERSION_HEADER < 300
  return second ? c->geom2 : c->geom1;
#else
  return c->geom[second];
#endif
}

#endif
