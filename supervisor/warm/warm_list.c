// Lines to URLs; all that is wrong is found at once.

#include "warm_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/printable.h"

struct line {
    char *text; // with a NUL behind it
    size_t length;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct line trim(struct line line)
{
    while (line.length > 0 && is_blank(line.text[line.length - 1]))
        line.length--;
    while (line.length > 0 && is_blank(*line.text)) {
        line.text++;
        line.length--;
    }
    line.text[line.length] = '\0';
    return line;
}

// NULL: it may be requested.
static const char *find_fault(struct line line)
{
    if (strncmp(line.text, "https://", strlen("https://")) == 0)
        return "the gateway is asked over http://";
    if (*line.text != '/' && strncmp(line.text, "http://", strlen("http://")) != 0)
        return "is no /path and no http:// URL";
    for (size_t i = 0; i < line.length; i++) {
        unsigned char byte = (unsigned char)line.text[i];
        if (byte <= ' ' || byte == 0x7F)
            return "has a blank or control character; in a URL it is written as %XX";
    }
    return NULL;
}

static void add(struct warm_list *list, const char *base, const char *url)
{
    list->urls = mem_realloc(list->urls, (list->count + 1) * sizeof *list->urls);
    list->urls[list->count++] = mem_printf("%s%s", *url == '/' ? base : "", url);
}

static void add_error(struct buf *errors, const char *name, unsigned number, struct line line,
                      const char *fault)
{
    buf_printf(errors, "%s:%u: ", name, number);
    printable_append(errors, line.text, line.length, PRINTABLE_LINE);
    buf_printf(errors, ": %s\n", fault);
}

int warm_list_parse(struct buf *text, const char *name, const char *base, struct warm_list *list,
                    struct buf *errors)
{
    struct line line;
    unsigned number = 0;
    *list = (struct warm_list){0};
    buf_append(text, "\n", 1); // the last line may have none
    while (buf_take_line(text, &line.text, &line.length)) {
        number++;
        line = trim(line);
        if (line.length == 0 || *line.text == '#')
            continue;
        const char *fault = find_fault(line);
        if (fault)
            add_error(errors, name, number, line, fault);
        else
            add(list, base, line.text);
    }
    return errors->length > 0 ? -1 : 0;
}

void warm_list_free(struct warm_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->urls[i]);
    free(list->urls);
    *list = (struct warm_list){0};
}
