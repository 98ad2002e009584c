// One log file, however many processes write to it, and its replacement by a new one.
#ifndef GW_SUPERVISOR_LOG_FILE_H
#define GW_SUPERVISOR_LOG_FILE_H

#include <sys/uio.h>
#include <uv.h>

#include "common/err.h"
#include "common/log_config.h"

struct log_file;

// Opens the file at the path for appending, or takes a reference to the one that is open. The
// rotation is copied, and the newest counts for all; NULL: it is never replaced. NULL with err when
// it cannot be opened.
struct log_file *log_file_open(uv_loop_t *loop, const char *path,
                               const struct log_rotate_config *rotation,
                               struct err *err) GW_MUST_USE;

// Appends as writev(2) does: how much was taken, or -1 with errno. Where that is due, and the last
// byte ended a line, the file is replaced before: the old one is renamed, so that no line is lost,
// doubled or torn. A file that cannot be replaced is written on.
ssize_t log_file_append(struct log_file *file, const struct iovec *parts, int count);

// Makes the file at the path empty, whether it is open or not; none is fine, and so is one that is
// no regular file. Lines that are written from now on are there.
int log_file_empty(const char *path, struct err *err) GW_MUST_USE;

// Opens every file anew at its path: those that somebody has renamed are left to him. What cannot
// be opened is written on; -1 with the first reason.
int log_file_reopen_all(struct err *err) GW_MUST_USE;

// Gives a reference back; the last one closes the file. NULL is allowed.
void log_file_close(struct log_file *file);

#endif
