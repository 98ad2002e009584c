// One output stream of one process: from its pipe to its log file, line by line, and the last lines
// kept for error messages.
#ifndef GW_SUPERVISOR_CAPTURE_H
#define GW_SUPERVISOR_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/err.h"

struct log_format;
struct log_rotate_config;

enum { CAPTURE_LAST_LINES = 5 }; // how many are remembered, each cut at 200 bytes

struct capture;

// Borrowed until capture_open returns, but `context`.
struct capture_options {
    const char *label;                        // "api#2 stdout", for the log; copied
    const char *path;                         // the log file; NULL: not kept
    const char *combined_path;                // a second one, of both streams; NULL: none
    const struct log_rotate_config *rotation; // of the file; NULL: never
    const struct log_format *format;          // of its lines; copied; NULL: as they come
    // Every whole line without its newline, after it was written; NULL: not wanted. A line beyond
    // LOG_LINES_MAX comes in pieces (log_lines.h). Must not close the capture.
    void (*on_line)(void *context, const char *line, size_t length);
    // Lines, or pieces of some, that the log file did not take: so many more. NULL: not wanted.
    void (*on_lost)(void *context, uint64_t lines);
    void *context;
};

// Reads fd (taken, also on failure) on the loop from now on. NULL with err when the log file cannot
// be opened. Once it runs it never fails: lines that the disk does not take are told of and
// dropped.
struct capture *capture_open(uv_loop_t *loop, int fd, const struct capture_options *options,
                             struct err *err) GW_MUST_USE;

// Reads what is in the pipe at this moment, as if the loop had done it. For the time between a
// process's end and the report of it: nothing it wrote may come later.
void capture_drain_now(struct capture *capture);

// The line `back` lines before the last one (0: the last), without blank ones, made safe for a
// message; "" when there is none. Valid until the capture reads or is closed.
const char *capture_last_line(const struct capture *capture, unsigned back);

// The fd it reads, to store it in the keeper; borrowed. -1 when the pipe has ended.
int capture_fd(const struct capture *capture);

// Before the supervisor leaves the process running: an unfinished line is written as far as it has
// come (where lines are formatted it becomes two), and the pipe takes more while nobody reads it.
void capture_put_down(struct capture *capture);

// An unfinished last line is written, with a newline. No callback comes any more. NULL is allowed.
// The memory goes in the loop's close callback.
void capture_close(struct capture *capture);

#endif
