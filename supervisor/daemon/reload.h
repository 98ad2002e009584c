// A rolling reload under way: reload_plan acted out on an app's slots.
//
// Apps that can run beside their predecessor roll (app_can_roll); others are restarted one slot
// after the other, each ready before the next begins. When a new process fails, what was already
// replaced is rolled back to the old settings and the reload has failed.
#ifndef GW_SUPERVISOR_RELOAD_H
#define GW_SUPERVISOR_RELOAD_H

#include "app.h"
#include "operation.h"

struct reload;

// Begins to bring the spec (a new reference is taken) into every slot. The operation (may be NULL)
// gets progress and the result. -1 when one is under way already.
int reload_start(struct app *app, struct spec *spec, struct operation *operation,
                 struct err *err) GW_MUST_USE;

// Replaces the process of one slot alone, with the settings it has; counted as `as`. When the new
// one fails, the old one serves on. Errors as reload_start.
int reload_start_slot(struct slot *slot, enum restart_reason as, struct err *err) GW_MUST_USE;

// A worker of the app changed its state. Called by app.c.
void reload_worker_changed(struct reload *reload, struct worker *worker);

// Someone stops the app: the reload fails, new processes go.
void reload_cancel(struct reload *reload);

#endif
