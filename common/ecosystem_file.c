// Reads an ecosystem file, or standard input, and finds the folder its paths are relative to.

#include "common/ecosystem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"

enum { FILE_LIMIT = 4 << 20, PIECE = 64 << 10 };

static int read_all(int fd, struct buf *text, struct err *err)
{
    for (;;) {
        ssize_t length = read(fd, buf_reserve(text, PIECE), PIECE);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return err_set_errno(err, "cannot be read");
        if (length == 0)
            return 0;
        buf_commit(text, (size_t)length);
        if (text->length > FILE_LIMIT)
            return err_set(err, "longer than 4 MiB");
    }
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot be opened");
    int result = read_all(fd, text, err);
    if (!is_input)
        close(fd);
    return result;
}

// folder has PATH_MAX bytes.
static int find_folder(const char *path, char *folder, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return getcwd(folder, PATH_MAX) ? 0 : err_set_errno(err, "no working directory");
    if (!realpath(path, folder))
        return err_set_errno(err, "cannot be found");
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    return 0;
}

struct ecosystem *ecosystem_load_file(const char *path, subst_lookup *lookup, void *context,
                                      struct config_errors *errors)
{
    char folder[PATH_MAX];
    struct buf text = BUF_INIT;
    struct ecosystem *ecosystem = NULL;
    struct err err;

    if (read_file(path, &text, &err) < 0 || find_folder(path, folder, &err) < 0)
        config_errors_add(errors, (struct json_place){0, 0}, "%s", err.text);
    else
        ecosystem = ecosystem_load(text.data, text.length, folder, lookup, context, errors);
    buf_free(&text);
    return ecosystem;
}
