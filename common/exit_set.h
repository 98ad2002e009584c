// Ways in which a process may end: some exit codes, some signals.
#ifndef GW_COMMON_EXIT_SET_H
#define GW_COMMON_EXIT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"

// Zero: none.
struct exit_set {
    uint64_t codes[4]; // bit n: exit code n
    uint32_t signals;  // bit n: signal n
};

// Reads a code (0 to 255, also in a string), the name of a signal, or an array of them. -1 with the
// sentence that stands behind a config path; *set is empty then.
int exit_set_parse(struct json_object *value, struct exit_set *set, struct err *err) GW_MUST_USE;

// Whether a process with this status, as waitpid(2) gives it, ended in one of these ways. A death
// by a signal is no exit code, neither 0 nor 128 + n.
bool exit_set_has(const struct exit_set *set, int status);

#endif
