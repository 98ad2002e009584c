// Reads cpu_list.h's text. Whether the machine has those CPUs is the kernel's to say.

#include "common/cpu_list.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

// Reads a number at *text and moves behind it.
static bool read_cpu(const char **text, int *cpu)
{
    char *end;
    if (!isdigit((unsigned char)**text))
        return false;
    unsigned long number = strtoul(*text, &end, 10);
    if (number > CPU_LIST_MAX)
        return false;
    *cpu = (int)number;
    *text = end;
    return true;
}

bool cpu_list_parse(const char *text, void (*add)(int cpu, void *context), void *context)
{
    for (;;) {
        int first, last;
        if (!read_cpu(&text, &first))
            return false;
        last = first;
        if (*text == '-' && (text++, !read_cpu(&text, &last) || last < first))
            return false;
        for (int cpu = first; add && cpu <= last; cpu++)
            add(cpu, context);
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}
