// What a process leaves behind when it ends: killed, and waited for, so that whoever starts its
// successor, or says that it is stopped, finds its ports free.
#ifndef GW_SUPERVISOR_LEFTOVERS_H
#define GW_SUPERVISOR_LEFTOVERS_H

#include <stdbool.h>
#include <uv.h>

#include "keeper_link.h"
#include "process_tree.h"

// Whether a process of ours that has just ended may have left anything behind: what it did is the
// keeper's child by now, so with no child but us there is nothing, and no walk through /proc is
// needed. Of one that an earlier supervisor started nobody knows: an earlier keeper may have been
// above it.
bool leftovers_possible(const struct process *ended, const struct keeper_link *keeper);

// Kills what lives of the tree. True: there is nothing (any more). False: on_gone is called, once,
// when there is nothing, or when something could not be ended for 2 s (which is logged). The label
// is borrowed until then.
bool leftovers_end(uv_loop_t *loop, const struct process_tree *tree, const char *label,
                   void (*on_gone)(void *context), void *context);

#endif
