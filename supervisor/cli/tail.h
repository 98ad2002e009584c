// The last lines of a file, and then what is appended to it: over truncation and replacement.
#ifndef GW_CLI_TAIL_H
#define GW_CLI_TAIL_H

#include <stddef.h>

struct tail;

// Where lines go: every byte as it was written, but for the newline.
typedef void tail_line(void *context, const char *line, size_t length);

// path is copied. A file that does not exist yet is waited for by tail_poll.
struct tail *tail_new(const char *path, tail_line *on_line, void *context);
void tail_free(struct tail *tail);

// Gives the last `count` lines, reading from the end: the size of the file does not matter. What
// comes later is tail_poll's.
void tail_last(struct tail *tail, size_t count);

// Gives every whole line that was appended since the last call, and an unfinished one when its file
// was truncated or replaced.
void tail_poll(struct tail *tail);

#endif
