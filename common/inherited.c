// LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. Nothing is opened or closed here.
#include "common/inherited.h"

#include <stdlib.h>
#include <string.h>

static int parse_number(const char *text, long *number)
{
    char *end;
    *number = strtol(text, &end, 10);
    return *text == '\0' || *end != '\0' || *number < 0 ? -1 : 0;
}

static int add_name(struct inherited *inherited, const char *name, size_t length, struct err *err)
{
    if (length >= INHERITED_NAME_SIZE)
        return err_set(err, "LISTEN_FDNAMES: a name is too long");
    memcpy(inherited->names[inherited->count], name, length);
    inherited->names[inherited->count][length] = '\0';
    ++inherited->count;
    return 0;
}

static int read_names(struct inherited *inherited, const char *text, size_t count, struct err *err)
{
    while (inherited->count < count) {
        size_t length = strcspn(text, ":");
        if (add_name(inherited, text, length, err) != 0)
            return -1;
        text += length;
        if (*text == '\0')
            break;
        ++text;
    }
    if (inherited->count != count || *text != '\0')
        return err_set(err, "LISTEN_FDNAMES does not name LISTEN_FDS descriptors");
    return 0;
}

int inherited_parse(struct inherited *inherited, const char *pid_text, const char *fds_text,
                    const char *names_text, pid_t self, struct err *err)
{
    long pid, count;
    inherited->count = 0;
    if (pid_text == NULL || fds_text == NULL)
        return 0;
    if (parse_number(pid_text, &pid) != 0 || parse_number(fds_text, &count) != 0 ||
        count > INHERITED_MAX)
        return err_set(err, "LISTEN_PID or LISTEN_FDS is not a number that can be");
    if (pid != self || count == 0)
        return 0;
    return read_names(inherited, names_text == NULL ? "" : names_text, (size_t)count, err);
}

int inherited_find(const struct inherited *inherited, const char *name)
{
    for (size_t i = 0; i < inherited->count; ++i)
        if (strcmp(inherited->names[i], name) == 0)
            return INHERITED_FIRST_FD + (int)i;
    return -1;
}
