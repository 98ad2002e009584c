// Looks for newlines from the front or from the back, so that whoever wants only the last lines of
// a flood does not look at the others. Not its job: any buffer (capture.c).

#include "log_lines.h"

#include <string.h>

// How long the character of UTF-8 is that has this byte first; 1 also for what is none.
static size_t character_width(unsigned char first)
{
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

// The length of the first piece of a line that is longer than LOG_LINES_MAX.
static size_t piece_length(const char *line)
{
    for (size_t back = 1; back <= 3; back++) {
        unsigned char byte = (unsigned char)line[LOG_LINES_MAX - back];
        if ((byte & 0xc0) != 0x80)
            return character_width(byte) > back ? LOG_LINES_MAX - back : LOG_LINES_MAX;
    }
    return LOG_LINES_MAX; // the end of a character of four, or no UTF-8 at all
}

size_t log_lines_whole(const char *bytes, size_t length)
{
    const char *newline = length > 0 ? memrchr(bytes, '\n', length) : NULL;
    if (newline)
        return (size_t)(newline - bytes) + 1;
    return length > LOG_LINES_MAX ? piece_length(bytes) : 0;
}

size_t log_lines_next(const char *bytes, size_t length, size_t *step)
{
    size_t limit = length <= LOG_LINES_MAX ? length : LOG_LINES_MAX + 1;
    const char *newline = memchr(bytes, '\n', limit);
    size_t line = newline ? (size_t)(newline - bytes) : limit;

    if (line > LOG_LINES_MAX)
        line = piece_length(bytes);
    *step = newline ? line + 1 : line;
    return line;
}

size_t log_lines_last(const char *bytes, size_t length, size_t *start)
{
    size_t end = bytes[length - 1] == '\n' ? length - 1 : length;
    const char *before = memrchr(bytes, '\n', end);
    *start = before ? (size_t)(before - bytes) + 1 : 0;
    return end - *start;
}
