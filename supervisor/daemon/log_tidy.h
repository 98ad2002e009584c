// Old files of a log: compressed, and deleted when they are too many. On a thread of libuv's pool.
#ifndef GW_SUPERVISOR_LOG_TIDY_H
#define GW_SUPERVISOR_LOG_TIDY_H

#include <uv.h>

#include "common/log_config.h"

// Brings the old files of the log at `path` in the state that the settings ask for; also what an
// earlier one, killed meanwhile, has left. One at a time for each path: a second call while one is
// under way lets it go over them again, with its own settings. Both are copied. What fails is
// logged. The loop does not end before the work has.
void log_tidy_start(uv_loop_t *loop, const char *path, const struct log_rotate_config *config);

#endif
