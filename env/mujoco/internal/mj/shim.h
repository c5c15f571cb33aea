//go:build mujoco

#ifndef ORRERY_MJ_SHIM_H
#define ORRERY_MJ_SHIM_H

#include <setjmp.h>

#include "compat.h"

#define MJX_TEXT 1024

// mjx_report is what came of a call: whether MuJoCo raised an error, with its
// text, and the text of the last warning.
enum { MJX_RAISED = 1, MJX_FULL = 2 };
typedef struct {
  int failed;  // 0, MJX_RAISED, or MJX_FULL if a scene has too many geoms
  char error[MJX_TEXT];
  char warning[MJX_TEXT];
} mjx_report;

// mjx_check returns NULL if header and library are of one version, which it
// installs the handlers for, and otherwise the library's version.
const char* mjx_check(void);

mjVFS* mjx_newVFS(void);
void mjx_freeVFS(mjVFS* vfs);

// In all that follows a raised error makes the call return at once, with
// report->failed set.
int mjx_addFile(mjVFS* vfs, const char* name, const void* data, int size, mjx_report* report);
mjModel* mjx_load(const char* name, const mjVFS* vfs, mjx_report* report);
mjModel* mjx_copyModel(const mjModel* m, mjx_report* report);
mjData* mjx_makeData(const mjModel* m, mjx_report* report);
void mjx_reset(const mjModel* m, mjData* d, mjx_report* report);
void mjx_resetKey(const mjModel* m, mjData* d, int key, mjx_report* report);
void mjx_forward(const mjModel* m, mjData* d, mjx_report* report);
void mjx_setConst(mjModel* m, mjData* d, mjx_report* report);
void mjx_setTotalMass(mjModel* m, double mass, mjx_report* report);
void mjx_copyData(mjData* dest, const mjModel* m, const mjData* src, mjx_report* report);

// mjx_forwardPassive is mj_forward with actuation disabled; the model is left
// alone.
void mjx_forwardPassive(const mjModel* m, mjData* d, mjx_report* report);

// The steps begin with all warning counters at zero and stop after the first
// substep that raises one. They return 0 if nothing at all happened.
int mjx_step(const mjModel* m, mjData* d, int n, mjx_report* report);
int mjx_step1(const mjModel* m, mjData* d, mjx_report* report);
int mjx_step2(const mjModel* m, mjData* d, mjx_report* report);

// The guard lets other files of this package run MuJoCo functions:
//
//   MJX_GUARD(report) { ... } MJX_UNGUARD;
//
// The body must not return, and must not change local variables that are read
// behind it.
typedef struct mjx_guard_ {
  jmp_buf jump;
  mjx_report* report;
  struct mjx_guard_* outer;
} mjx_guard;

void mjx_enter(mjx_guard* guard, mjx_report* report);
void mjx_leave(mjx_guard* guard);

#define MJX_GUARD(r) do { mjx_guard guard_; mjx_enter(&guard_, (r)); if (_setjmp(guard_.jump) == 0)
#define MJX_UNGUARD mjx_leave(&guard_); } while (0)

#endif
