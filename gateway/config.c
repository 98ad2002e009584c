// Loading the configuration; what it may say is common/ecosystem.h's business.
#include "config.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/ecosystem.h"
#include "common/log.h"
#include "common/mem.h"

enum { READ_SIZE = 65536, FILE_LIMIT = 4 << 20 };

static struct ecosystem *conclude(struct ecosystem *ecosystem, struct config_errors *errors,
                                  const char *what, struct err *err)
{
    size_t count = config_errors_count(errors);
    for (size_t i = 0; i < count; ++i)
        log_error("%s", config_errors_text(errors, i));
    if (ecosystem == NULL) {
        err_set(err, "%s: %zu error%s", what, count, count == 1 ? "" : "s");
    } else if (ecosystem->gateway == NULL) {
        err_set(err, "%s: no \"gateway\" in it", what);
        ecosystem_free(ecosystem);
        ecosystem = NULL;
    }
    config_errors_free(errors);
    return ecosystem;
}

static int read_file(const char *file, struct buf *text, struct err *err)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL)
        return err_set_errno(err, "%s", file);
    size_t length;
    do {
        length = fread(buf_reserve(text, READ_SIZE), 1, READ_SIZE, stream);
        buf_commit(text, length);
    } while (length > 0 && text->length <= FILE_LIMIT);
    int result = ferror(stream) != 0 ? err_set_errno(err, "%s", file) : 0;
    fclose(stream);
    return result;
}

static const char *look_up(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

struct ecosystem *config_load(const char *file, struct err *err)
{
    struct buf text = BUF_INIT;
    char *path = realpath(file, NULL);
    struct ecosystem *ecosystem = NULL;
    if (path == NULL) {
        err_set_errno(err, "%s", file);
    } else if (read_file(path, &text, err) == 0) {
        struct config_errors *errors = config_errors_new(file);
        ecosystem = ecosystem_load(text.data, text.length, dirname(path), look_up, NULL, errors);
        ecosystem = conclude(ecosystem, errors, file, err);
    }
    free(path);
    buf_free(&text);
    return ecosystem;
}

struct ecosystem *config_from_document(struct json_object *document, struct err *err)
{
    struct config_errors *errors = config_errors_new("document");
    struct ecosystem *ecosystem =
        document == NULL ? NULL : ecosystem_from_document(document, errors);
    return conclude(ecosystem, errors, "configuration from the supervisor", err);
}
