// Taking over from a supervisor that died: its snapshot is read, and what it names goes on here.
//
// Two steps. Reading changes nothing, neither here nor in the keeper, so a supervisor that cannot
// read what is there may end, and whoever can read it comes after it and finds everything.
#ifndef GW_SUPERVISOR_TAKEOVER_H
#define GW_SUPERVISOR_TAKEOVER_H

#include "common/err.h"

struct daemon;
struct keeper_link;
struct takeover;

// Reads and checks what was left; nothing is fine. NULL with err: it is damaged, of another
// version, or of settings that this version does not know.
struct takeover *takeover_read(struct keeper_link *keeper, struct err *err) GW_MUST_USE;
void takeover_free(struct takeover *takeover); // NULL is allowed

// Makes the apps of it, and ends what no snapshot names. Processes that ended meanwhile are
// reported (process_adopt).
void takeover_act(const struct takeover *takeover, struct daemon *daemon);

#endif
