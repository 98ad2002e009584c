// How many files the supervisor may have open: as many as the hard limit lets it, since every app
// takes several. Programs get the soft limit back that it was started with: some of them do
// something for every number below it, and select() knows 1,024.
#ifndef GW_SUPERVISOR_FILE_LIMIT_H
#define GW_SUPERVISOR_FILE_LIMIT_H

#include <stdint.h>

#include "common/err.h"

// Once, before any file is opened for an app.
void file_limit_raise(void);

// What a program is to get as its soft limit; 0: it has it already.
int64_t file_limit_of_programs(void);

// Before another program of ours is executed in place of this one; raise again if that fails.
void file_limit_restore(void);

// Why something could not be opened, by errno: -1 with err, which says what to do where there was
// no room for it.
int file_limit_error(struct err *err);

#endif
