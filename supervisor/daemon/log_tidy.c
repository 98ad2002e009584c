// Compresses old log files and deletes the surplus, away from the loop.
//
// Invariant: at every moment, also when we are killed, each line of an old file stands under
// exactly one of its names. The copy is made as <plain>.gz.new; then <plain> is deleted, and the
// copy gets its name. So a .gz.new whose <plain> is there is worth nothing, and one without it
// everything.

#include "log_tidy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/err.h"
#include "common/log.h"
#include "common/mem.h"
#include "log_rotation.h"

enum { BLOCK = 65536 };

struct tidy {
    uv_work_t work;
    struct tidy *next; // in `running`
    uv_loop_t *loop;
    char *path;
    struct log_rotate_config config; // the thread has its own
    struct log_rotate_config wanted;
    bool again;
    bool failed;
    struct err err; // the first one, of the thread
};

static struct tidy *running; // the loop's thread only

struct names {
    char **items; // whole paths, sorted: from the oldest on
    size_t count;
};

// --- on the thread ------------------------------------------------------------------------------

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

// Files of the log at `path` that have been replaced, of one kind or of another.
static struct names list_names(const char *path, enum log_rotation_kind kind,
                               enum log_rotation_kind or_kind)
{
    struct names names = {0};
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup("./");
    DIR *stream = opendir(folder);

    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        enum log_rotation_kind found = log_rotation_kind(base, entry->d_name);
        if (found == LOG_ROTATION_FOREIGN || (found != kind && found != or_kind))
            continue;
        names.items = mem_realloc(names.items, (names.count + 1) * sizeof *names.items);
        names.items[names.count++] = mem_printf("%s%s", folder, entry->d_name);
    }
    if (stream)
        closedir(stream);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    free(folder);
    return names;
}

// What a tidier that was killed has left.
static void finish_copies(const struct tidy *tidy)
{
    struct names copies = list_names(tidy->path, LOG_ROTATION_UNFINISHED, LOG_ROTATION_UNFINISHED);
    for (size_t i = 0; i < copies.count; i++) {
        const char *copy = copies.items[i];
        size_t length = strlen(copy);
        char *packed = mem_strndup(copy, length - strlen(".new"));
        char *plain = mem_strndup(copy, length - strlen(".gz.new"));
        if (access(plain, F_OK) == 0)
            unlink(copy);
        else
            rename(copy, packed);
        free(packed);
        free(plain);
    }
    free_names(&copies);
}

// 0, or -1 with errno.
static int copy_packed(int from, gzFile to)
{
    char block[BLOCK];
    ssize_t length;
    while ((length = read(from, block, sizeof block)) > 0) {
        errno = ENOSPC; // for what zlib does not tell
        if (gzwrite(to, block, (unsigned)length) != (int)length)
            return -1;
    }
    return length == 0 ? 0 : -1;
}

// Into a new file, to the disk. 0, or -1 with errno.
static int write_packed(int from, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1)
        return -1;
    int own = dup(fd); // gzclose closes the other
    gzFile to = own >= 0 ? gzdopen(own, "wb6") : NULL;
    int result = to ? copy_packed(from, to) : -1;
    if (to && gzclose(to) != Z_OK)
        result = -1;
    if (result == 0)
        result = fsync(fd);
    close(fd);
    return result;
}

static int pack(const char *plain, struct err *err)
{
    char *copy = mem_printf("%s.gz.new", plain);
    char *packed = mem_printf("%s.gz", plain);
    int from = open(plain, O_RDONLY | O_CLOEXEC);
    int result = from >= 0 ? write_packed(from, copy) : -1;

    if (result == -1) {
        err_set_errno(err, "log %s: it is not compressed", plain);
        unlink(copy);
    } else if (unlink(plain) == -1 || rename(copy, packed) == -1) {
        result = err_set_errno(err, "log %s", packed);
    }
    if (from >= 0)
        close(from);
    free(copy);
    free(packed);
    return result;
}

static void pack_all(struct tidy *tidy)
{
    struct names plain = list_names(tidy->path, LOG_ROTATION_PLAIN, LOG_ROTATION_PLAIN);
    for (size_t i = 0; i < plain.count && !tidy->failed; i++)
        tidy->failed = pack(plain.items[i], &tidy->err) == -1;
    free_names(&plain);
}

static void delete_surplus(const struct tidy *tidy)
{
    struct names old = list_names(tidy->path, LOG_ROTATION_PLAIN, LOG_ROTATION_PACKED);
    uint64_t *sizes = mem_zalloc(old.count + 1, sizeof *sizes);
    struct stat status;

    for (size_t i = 0; i < old.count; i++)
        sizes[i] = stat(old.items[i], &status) == 0 ? (uint64_t)status.st_size : 0;
    size_t surplus = log_rotation_surplus(&tidy->config, sizes, old.count);
    for (size_t i = 0; i < surplus; i++)
        unlink(old.items[i]);
    free(sizes);
    free_names(&old);
}

static void on_work(uv_work_t *work)
{
    struct tidy *tidy = work->data;
    finish_copies(tidy);
    delete_surplus(tidy); // before the copies need room, and what goes need not be compressed
    if (tidy->config.compress)
        pack_all(tidy);
    delete_surplus(tidy);
}

// --- on the loop --------------------------------------------------------------------------------

static void free_tidy(struct tidy *tidy)
{
    struct tidy **at = &running;
    while (*at != tidy)
        at = &(*at)->next;
    *at = tidy->next;
    free(tidy->path);
    free(tidy);
}

static void queue(struct tidy *tidy);

static void on_done(uv_work_t *work, int status)
{
    struct tidy *tidy = work->data;
    (void)status;
    if (tidy->failed)
        log_warn("%s", tidy->err.text);
    if (tidy->again)
        queue(tidy);
    else
        free_tidy(tidy);
}

static void queue(struct tidy *tidy)
{
    tidy->again = tidy->failed = false;
    tidy->config = tidy->wanted;
    uv_queue_work(tidy->loop, &tidy->work, on_work, on_done);
}

void log_tidy_start(uv_loop_t *loop, const char *path, const struct log_rotate_config *config)
{
    for (struct tidy *tidy = running; tidy; tidy = tidy->next) {
        if (strcmp(tidy->path, path) != 0)
            continue;
        tidy->wanted = *config;
        tidy->again = true;
        return;
    }
    struct tidy *tidy = mem_zalloc(1, sizeof *tidy);
    tidy->work.data = tidy;
    tidy->loop = loop;
    tidy->path = mem_strdup(path);
    tidy->wanted = *config;
    tidy->next = running;
    running = tidy;
    queue(tidy);
}
