// Reads a datagram that any supervised process may have written: nothing in it is trusted.

#include "notify_message.h"

#include <string.h>

#include "common/foreign_text.h"

static const struct {
    const char *line;
    size_t flag; // offset in struct notify_message
} flags[] = {
    {"READY=1", offsetof(struct notify_message, ready)},
    {"STOPPING=1", offsetof(struct notify_message, stopping)},
    {"RELOADING=1", offsetof(struct notify_message, reloading)},
    {"WATCHDOG=1", offsetof(struct notify_message, watchdog)},
};

static bool key_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool well_formed(const char *line, size_t length)
{
    size_t key = 0;
    while (key < length && key_character(line[key]))
        ++key;
    return key > 0 && key < length && line[key] == '=';
}

static void take_line(struct notify_message *message, const char *line, size_t length)
{
    static const char status[] = "STATUS=";
    size_t prefix = sizeof status - 1;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; ++i)
        if (strlen(flags[i].line) == length && memcmp(line, flags[i].line, length) == 0)
            *(bool *)((char *)message + flags[i].flag) = true;
    if (length >= prefix && memcmp(line, status, prefix) == 0) {
        message->has_status = true;
        foreign_text_copy(message->status, sizeof message->status, line + prefix, length - prefix);
    }
}

int notify_message_parse(const char *bytes, size_t length, struct notify_message *message,
                         struct err *err)
{
    const char *end = bytes + length;

    memset(message, 0, sizeof *message);
    if (length == 0 || length > NOTIFY_MESSAGE_MAX)
        return err_set(err, "%zu bytes, not 1 to %d", length, NOTIFY_MESSAGE_MAX);
    if (memchr(bytes, '\0', length))
        return err_set(err, "a NUL byte");
    for (const char *line = bytes; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((newline ? newline : end) - line);
        if (!well_formed(line, size)) {
            memset(message, 0, sizeof *message);
            return err_set(err, "a line that is not KEY=value");
        }
        take_line(message, line, size);
        line += size + (newline ? 1 : 0);
    }
    return 0;
}
