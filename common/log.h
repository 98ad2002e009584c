// One line is one event: subject first, then the fact, then the reason:
//   2026-01-02T03:04:05.678Z warn gw-supervisor[42]: api#2: restart in 800 ms (exited 1 after 3.1
//   s)
// error: someone must act. warn: degraded and handled. info: life of processes, state changes.
// debug: per request.
#ifndef GW_COMMON_LOG_H
#define GW_COMMON_LOG_H

#include "common/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

// Names the program in every line and sets the highest level written. Lines go to stderr, each with
// one write(2). `program` is borrowed for the life of the process. Before this call: "gwctl", info.
void log_init(const char *program, enum log_level level);

// "error", "warn", "info" or "debug" to its level; -1 for another word.
int log_level_parse(const char *word, enum log_level *level) GW_MUST_USE;

void log_error(const char *format, ...) GW_PRINTF(1, 2);
void log_warn(const char *format, ...) GW_PRINTF(1, 2);
void log_info(const char *format, ...) GW_PRINTF(1, 2);
void log_debug(const char *format, ...) GW_PRINTF(1, 2);

// Control bytes in a foreign text become '?', so that it cannot forge a line. Done by the functions
// above for the whole line; newlines included.

#endif
