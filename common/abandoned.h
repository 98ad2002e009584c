// Processes of a home whose supervisor and keeper are both gone: nobody will ever restart or stop
// them, and a new supervisor would start a second copy beside each. Their environment tells them.
#ifndef GW_COMMON_ABANDONED_H
#define GW_COMMON_ABANDONED_H

#include <stddef.h>

// Ends every process that a supervisor of this home (home_path) has started, and what those have
// started: SIGTERM, and SIGKILL to those that are there after `patience_ms`. Blocks until they are
// gone, or cannot be helped. The caller holds the home's lock, so that none of them has a
// supervisor; the caller itself and its ancestors are left alone. Returns how many there were.
size_t abandoned_end(const char *home, unsigned patience_ms);

#endif
