// The access log: lines that go to a descriptor, many in one write, and that nobody ever waits for.
// What the reader does not take in time is dropped, by whole lines, and counted.
#ifndef GW_GATEWAY_ACCESS_LOG_H
#define GW_GATEWAY_ACCESS_LOG_H

#include <stdbool.h>
#include <uv.h>

#include "access_line.h"

struct access_log;
struct metrics;

// Writes to `fd` (borrowed): a pipe, a socket, a terminal or a file. The worker's id is borrowed,
// NULL: it has none. Drops are counted in `metrics`, which is borrowed.
struct access_log *access_log_open(uv_loop_t *loop, int fd, enum access_log_form form,
                                   const char *worker, struct metrics *metrics);

// Whether user agents are part of its lines; others need not be looked up.
bool access_log_shows_user_agents(const struct access_log *log);

// It is written before the loop waits again.
void access_log_add(struct access_log *log, const struct access_record *record);

// Writes what can be written. The memory goes with the loop's close callbacks. NULL is allowed.
void access_log_close(struct access_log *log);

#endif
