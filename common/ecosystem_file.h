// An ecosystem file on disk.
#ifndef GW_COMMON_ECOSYSTEM_FILE_H
#define GW_COMMON_ECOSYSTEM_FILE_H

#include "common/ecosystem.h"

// ecosystem_load of the file at `path` (at most 4 MiB) with its folder; "-" is standard input with
// the working directory. A file that cannot be read is a finding too. NULL when there were any.
struct ecosystem *ecosystem_load_file(const char *path, subst_lookup *lookup, void *context,
                                      struct config_errors *errors) GW_MUST_USE;

#endif
