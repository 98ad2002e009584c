// The file descriptors that the supervisor handed down, by name, as sd_listen_fds does.
#ifndef GW_COMMON_INHERITED_H
#define GW_COMMON_INHERITED_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

enum { INHERITED_FIRST_FD = 3, INHERITED_MAX = 256, INHERITED_NAME_SIZE = 64 };

struct inherited {
    size_t count; // descriptor INHERITED_FIRST_FD + i has names[i]
    char names[INHERITED_MAX][INHERITED_NAME_SIZE];
};

// Understands LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (values or NULL). None of them, or another
// process's: count 0. -1: they contradict each other.
int inherited_parse(struct inherited *inherited, const char *pid_text, const char *fds_text,
                    const char *names_text, pid_t self, struct err *err) GW_MUST_USE;

// The descriptor of that name, or -1.
int inherited_find(const struct inherited *inherited, const char *name);

#endif
