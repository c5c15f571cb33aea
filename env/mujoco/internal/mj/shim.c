//go:build mujoco

#include "shim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// The innermost guard of this thread.
static __thread mjx_guard* current;

static void copyText(char* dst, const char* src) {
  snprintf(dst, MJX_TEXT, "%s", src);
}

// onError must not return. Without a guard there is nowhere to go: this package
// calls nothing that can fail outside one.
static void onError(const char* text) {
  if (!current) {
    fprintf(stderr, "mujoco: error outside any call: %s\n", text);
    abort();
  }
  current->report->failed = MJX_RAISED;
  copyText(current->report->error, text);
  _longjmp(current->jump, 1);
}

static void onWarning(const char* text) {
  if (current) copyText(current->report->warning, text);
}

static void install(void) {
  mju_user_error = onError;
  mju_user_warning = onWarning;
}

const char* mjx_check(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (mj_version() != mjVERSION_HEADER) return mj_versionString();
  pthread_once(&once, install);
  return NULL;
}

void mjx_enter(mjx_guard* guard, mjx_report* report) {
  report->failed = 0;
  report->error[0] = report->warning[0] = 0;
  guard->report = report;
  guard->outer = current;
  current = guard;
}

void mjx_leave(mjx_guard* guard) { current = guard->outer; }

mjVFS* mjx_newVFS(void) {
  mjVFS* vfs = malloc(sizeof(mjVFS));  // 2 MB in MuJoCo 2
  if (vfs) mj_defaultVFS(vfs);
  return vfs;
}

void mjx_freeVFS(mjVFS* vfs) {
  mj_deleteVFS(vfs);
  free(vfs);
}

int mjx_addFile(mjVFS* vfs, const char* name, const void* data, int size, mjx_report* report) {
  volatile int status = -1;
  MJX_GUARD(report) { status = mjx_addBuffer(vfs, name, data, size); } MJX_UNGUARD;
  return status;
}

mjModel* mjx_load(const char* name, const mjVFS* vfs, mjx_report* report) {
  mjModel* volatile m = NULL;
  char text[MJX_TEXT] = "";
  MJX_GUARD(report) { m = mj_loadXML(name, vfs, text, sizeof text); } MJX_UNGUARD;
  if (report->failed) return NULL;
  report->failed = !m;
  copyText(m ? report->warning : report->error, text);
  return m;
}

mjModel* mjx_copyModel(const mjModel* m, mjx_report* report) {
  mjModel* volatile copy = NULL;
  MJX_GUARD(report) { copy = mj_copyModel(NULL, m); } MJX_UNGUARD;
  return copy;
}

mjData* mjx_makeData(const mjModel* m, mjx_report* report) {
  mjData* volatile d = NULL;
  MJX_GUARD(report) { d = mj_makeData(m); } MJX_UNGUARD;
  return d;
}

void mjx_reset(const mjModel* m, mjData* d, mjx_report* report) {
  MJX_GUARD(report) { mj_resetData(m, d); } MJX_UNGUARD;
}

void mjx_resetKey(const mjModel* m, mjData* d, int key, mjx_report* report) {
  MJX_GUARD(report) { mj_resetDataKeyframe(m, d, key); } MJX_UNGUARD;
}

void mjx_forward(const mjModel* m, mjData* d, mjx_report* report) {
  MJX_GUARD(report) { mj_forward(m, d); } MJX_UNGUARD;
}

void mjx_forwardPassive(const mjModel* m, mjData* d, mjx_report* report) {
  mjModel passive = *m;  // shares all arrays
  passive.opt.disableflags |= mjDSBL_ACTUATION;
  MJX_GUARD(report) { mj_forward(&passive, d); } MJX_UNGUARD;
}

void mjx_setConst(mjModel* m, mjData* d, mjx_report* report) {
  MJX_GUARD(report) { mj_setConst(m, d); } MJX_UNGUARD;
}

void mjx_setTotalMass(mjModel* m, double mass, mjx_report* report) {
  MJX_GUARD(report) { mj_setTotalmass(m, mass); } MJX_UNGUARD;
}

void mjx_copyData(mjData* dest, const mjModel* m, const mjData* src, mjx_report* report) {
  MJX_GUARD(report) { mj_copyData(dest, m, src); } MJX_UNGUARD;
}

static void zeroWarnings(mjData* d) {
  for (int i = 0; i < mjNWARNING; i++) d->warning[i].number = 0;
}

static int anyWarning(const mjData* d) {
  int sum = 0;
  for (int i = 0; i < mjNWARNING; i++) sum |= d->warning[i].number;
  return sum;
}

int mjx_step(const mjModel* m, mjData* d, int n, mjx_report* report) {
  zeroWarnings(d);
  MJX_GUARD(report) {
    for (int i = 0; i < n && !anyWarning(d); i++) mj_step(m, d);
  } MJX_UNGUARD;
  return report->failed | anyWarning(d);
}

int mjx_step1(const mjModel* m, mjData* d, mjx_report* report) {
  zeroWarnings(d);
  MJX_GUARD(report) { mj_step1(m, d); } MJX_UNGUARD;
  return report->failed | anyWarning(d);
}

int mjx_step2(const mjModel* m, mjData* d, mjx_report* report) {
  zeroWarnings(d);
  MJX_GUARD(report) { mj_step2(m, d); } MJX_UNGUARD;
  return report->failed | anyWarning(d);
}
