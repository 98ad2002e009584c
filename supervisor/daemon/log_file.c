// Log files that are open, one of each path: what is known about a file (its size, its day, where
// it goes) is known once, also when all processes of an app write to it.
//
// Not its job: when to rotate and how old files are called (log_rotation.c), what becomes of them
// (log_tidy.c), what is written (capture.c).

#include "log_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "log_path.h"
#include "log_rotation.h"
#include "log_tidy.h"

enum { RETRY_MS = 10000 };

struct log_file {
    struct log_file *next; // in `files`
    unsigned references;
    uv_loop_t *loop;
    char *path;
    int fd;
    bool is_regular;  // others (a pipe, a link) are never replaced
    bool at_line_end; // of the last byte
    uint64_t size;
    int64_t day_end_s;
    uint64_t retry_ms;   // after a failure: not before (monotonic)
    uint64_t renamed_ms; // the time in the last old file's name
    struct log_rotate_config rotation;
};

static struct log_file *files;

// --- replacing ----------------------------------------------------------------------------------

// What the file at fd is now. A day that has passed while nobody wrote is the day of its last line.
static void look_at(struct log_file *file)
{
    struct stat opened, named;
    bool known = fstat(file->fd, &opened) == 0;
    file->is_regular = known && S_ISREG(opened.st_mode) && lstat(file->path, &named) == 0 &&
                       S_ISREG(named.st_mode);
    file->size = known ? (uint64_t)opened.st_size : 0;
    file->day_end_s = log_rotation_day_end(file->size > 0 ? (int64_t)opened.st_mtime
                                                          : (int64_t)(clock_wall_ms() / 1000));
    file->at_line_end = true;
}

static bool is_still_named(const struct log_file *file)
{
    struct stat opened, named;
    return fstat(file->fd, &opened) == 0 && lstat(file->path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static bool is_taken(const char *name)
{
    char *packed = mem_printf("%s.gz", name);
    bool taken = access(name, F_OK) == 0 || access(packed, F_OK) == 0;
    free(packed);
    return taken;
}

// A name that no old file has or had; later than that of the last one, whatever the clock says.
static char *old_name(struct log_file *file)
{
    char suffix[LOG_ROTATION_SUFFIX_SIZE];
    uint64_t time_ms = clock_wall_ms();
    char *name = NULL;

    if (time_ms <= file->renamed_ms)
        time_ms = file->renamed_ms + 1;
    do {
        free(name);
        log_rotation_suffix(time_ms, suffix);
        name = mem_printf("%s%s", file->path, suffix);
        file->renamed_ms = time_ms++;
    } while (is_taken(name));
    return name;
}

// The file at the path, which is made when there is none, instead of the one that is open.
static int open_anew(struct log_file *file, struct err *err)
{
    int fd = log_path_open(file->path, err);
    if (fd == -1)
        return -1;
    close(file->fd);
    file->fd = fd;
    look_at(file);
    return 0;
}

static int rename_and_open(struct log_file *file, struct err *err)
{
    char *old = old_name(file);
    int result = 0;

    if (rename(file->path, old) == -1)
        result = err_set_errno(err, "log %s", old);
    else if ((result = open_anew(file, err)) == -1)
        rename(old, file->path); // what is open goes on under its name
    free(old);
    return result;
}

static void replace(struct log_file *file)
{
    struct err err;
    int result;

    if (!is_still_named(file)) // somebody else has renamed or deleted it
        result = open_anew(file, &err);
    else if ((result = rename_and_open(file, &err)) == 0)
        log_tidy_start(file->loop, file->path, &file->rotation);
    if (result == -1) {
        log_warn("%s; the file is written on", err.text);
        file->retry_ms = clock_mono_ms() + RETRY_MS;
    }
}

static bool is_due(const struct log_file *file, uint64_t length)
{
    return log_rotation_is_due(&file->rotation, file->size, length, file->day_end_s,
                               (int64_t)(clock_wall_ms() / 1000));
}

static void replace_if_due(struct log_file *file, uint64_t length)
{
    struct stat opened;

    if (!file->is_regular || !file->at_line_end || !is_due(file, length))
        return;
    if (file->retry_ms > 0 && clock_mono_ms() < file->retry_ms)
        return;
    file->retry_ms = 0;
    // Somebody may have emptied it.
    if (fstat(file->fd, &opened) == 0)
        file->size = (uint64_t)opened.st_size;
    if (is_due(file, length))
        replace(file);
}

// --- public -------------------------------------------------------------------------------------

static struct log_file *find(const char *path)
{
    struct log_file *file = files;
    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    return file;
}

struct log_file *log_file_open(uv_loop_t *loop, const char *path,
                               const struct log_rotate_config *rotation, struct err *err)
{
    static const struct log_rotate_config never = {.given.presence = KEY_FALSE};
    struct log_file *file = find(path);

    if (!file) {
        int fd = log_path_open(path, err);
        if (fd == -1)
            return NULL;
        file = mem_zalloc(1, sizeof *file);
        file->loop = loop;
        file->path = mem_strdup(path);
        file->fd = fd;
        look_at(file);
        file->next = files;
        files = file;
    }
    file->references++;
    file->rotation = rotation ? *rotation : never;
    return file;
}

ssize_t log_file_append(struct log_file *file, const struct iovec *parts, int count)
{
    size_t length = 0, end = 0;
    ssize_t written;

    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    replace_if_due(file, length);
    if ((written = writev(file->fd, parts, count)) <= 0)
        return written;
    file->size += (uint64_t)written;
    for (int i = 0; i < count && end < (size_t)written; end += parts[i++].iov_len) {
        size_t last = (size_t)written - end;
        last = last < parts[i].iov_len ? last : parts[i].iov_len;
        if (last > 0)
            file->at_line_end = ((const char *)parts[i].iov_base)[last - 1] == '\n';
    }
    return written;
}

int log_file_empty(const char *path, struct err *err)
{
    struct log_file *file = find(path);
    struct stat status;

    if (stat(path, &status) == -1)
        return errno == ENOENT ? 0 : err_set_errno(err, "log %s", path);
    if (S_ISREG(status.st_mode) && truncate(path, 0) == -1)
        return err_set_errno(err, "log %s", path);
    if (file && is_still_named(file))
        look_at(file);
    return 0;
}

int log_file_reopen_all(struct err *err)
{
    struct err later;
    int result = 0;
    for (struct log_file *file = files; file; file = file->next) {
        if (open_anew(file, result == 0 ? err : &later) == -1)
            result = -1;
    }
    return result;
}

void log_file_close(struct log_file *file)
{
    struct log_file **at = &files;
    if (!file || --file->references > 0)
        return;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    close(file->fd);
    free(file->path);
    free(file);
}
