// Names and opens log files.
//
// Not its job: to write them (capture.c). Files are the owner's alone: what apps print holds
// secrets more often than not.

#include "log_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "file_limit.h"

char *log_path_default(const char *folder, const char *name, bool error, int id)
{
    const char *stream = error ? "error" : "out";
    char *file = mem_strdup(name), *path;

    for (char *c = file; *c; ++c)
        if (*c == '/')
            *c = '_';
    if (id == LOG_PATH_NO_ID)
        path = mem_printf("%s/%s-%s.log", folder, file, stream);
    else
        path = mem_printf("%s/%s-%s-%d.log", folder, file, stream, id);
    free(file);
    return path;
}

// All folders above the file. Errors show when the file is opened.
static void make_folders(const char *path)
{
    char *copy = mem_strdup(path);
    for (char *slash = copy; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
}

int log_path_open(const char *path, struct err *err)
{
    // Non-blocking matters for a named pipe whose reader is gone: its lines are lost, not our time.
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags, 0600);

    if (fd == -1 && errno == ENOENT && *path) {
        make_folders(path);
        fd = open(path, flags, 0600);
    }
    if (fd >= 0)
        return fd;
    file_limit_error(err);
    return err_prefix(err, "log %s", path);
}
