// Finds the other programs by where this one is.

#include "program.h"

#include <string.h>
#include <unistd.h>

#include "common/mem.h"

char *program_beside_us(const char *name)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return mem_strdup(name);
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    return mem_printf("%s/%s", path, name);
}
