// Where an app's output goes, and how such a file comes to be.
#ifndef GW_SUPERVISOR_LOG_PATH_H
#define GW_SUPERVISOR_LOG_PATH_H

#include <stdbool.h>

#include "common/err.h"

enum { LOG_PATH_NO_ID = -1 };

// "<folder>/<name>-out[-<id>].log", or "-error": the id is left out when it is LOG_PATH_NO_ID. A
// '/' in the name becomes '_'. A new string (free).
char *log_path_default(const char *folder, const char *name, bool error, int id);

// Opens it for appending (0600, close-on-exec); missing folders above it are made (0700). Returns
// the fd, or -1 with "log <path>: <why>".
int log_path_open(const char *path, struct err *err) GW_MUST_USE;

#endif
