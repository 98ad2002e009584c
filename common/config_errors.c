// Collects the findings about one file and hands them out in the file's order.

#include "common/config_errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/mem.h"

struct finding {
    struct json_place place;
    size_t number; // the order of adding, among those of one place
    char *text;
    bool is_final;
};

struct config_errors {
    char *file;
    struct finding *findings;
    size_t count;
    size_t capacity;
    size_t final_end; // behind the last final one
    size_t left_out;
    bool is_sorted;
    struct config_scope scope;
};

struct config_errors *config_errors_new(const char *file)
{
    struct config_errors *errors = mem_zalloc(1, sizeof *errors);
    errors->file = mem_strdup(strcmp(file, "-") == 0 ? "standard input" : file);
    return errors;
}

void config_errors_free(struct config_errors *errors)
{
    if (!errors)
        return;
    for (size_t i = 0; i < errors->count; i++)
        free(errors->findings[i].text);
    free(errors->findings);
    free(errors->file);
    free(errors);
}

static bool is_explained(const struct config_errors *errors, struct json_place place)
{
    for (size_t i = 0; place.line > 0 && i < errors->final_end; i++) {
        const struct finding *finding = &errors->findings[i];
        if (finding->is_final && finding->place.line == place.line &&
            finding->place.column == place.column)
            return true;
    }
    return false;
}

// path NULL: the sentence says itself what it is about.
static void add(struct config_errors *errors, struct json_place place, const char *path,
                const char *sentence)
{
    if (is_explained(errors, place)) {
        errors->left_out++;
        return;
    }
    char *where = place.line > 0 ? mem_printf(":%u:%u", place.line, place.column) : mem_strdup("");
    const char *colon = path && *path ? ": " : "";

    if (errors->count == errors->capacity) {
        errors->capacity = errors->capacity > 0 ? errors->capacity * 2 : 8;
        errors->findings =
            mem_realloc(errors->findings, errors->capacity * sizeof *errors->findings);
    }
    char *text = mem_printf("%s%s: %s%s%s", errors->file, where, path ? path : "", colon, sentence);
    errors->findings[errors->count] = (struct finding){place, errors->count, text, false};
    errors->count++;
    errors->is_sorted = false;
    free(where);
}

static char *format_text(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    return vasprintf(&text, format, args) < 0 ? mem_strdup(format) : text;
}

void config_errors_add(struct config_errors *errors, struct json_place place, const char *format,
                       ...)
{
    va_list args;
    va_start(args, format);
    char *sentence = format_text(format, args);
    va_end(args);
    add(errors, place, NULL, sentence);
    free(sentence);
}

void config_errors_add_final(struct config_errors *errors, struct json_place place,
                             const char *format, ...)
{
    size_t before = errors->count;
    va_list args;
    va_start(args, format);
    char *sentence = format_text(format, args);
    va_end(args);
    add(errors, place, NULL, sentence);
    if (errors->count > before) {
        errors->findings[before].is_final = true;
        errors->final_end = errors->count;
    }
    free(sentence);
}

static char *join_path(const char *path, const char *key)
{
    return mem_printf("%s%s%s", path, *path && *key && *key != '[' ? "." : "", key);
}

void config_errors_add_key(struct config_errors *errors, const char *key, const char *format, ...)
{
    const struct config_scope *scope = &errors->scope;
    va_list args;
    va_start(args, format);
    char *sentence = format_text(format, args);
    va_end(args);
    char *path = join_path(scope->path ? scope->path : "", key ? key : "");
    add(errors, config_path_place(scope->doc, scope->value, key), path, sentence);
    free(path);
    free(sentence);
}

struct config_scope config_errors_enter(struct config_errors *errors, struct config_scope scope)
{
    struct config_scope before = errors->scope;
    errors->scope = scope;
    return before;
}

size_t config_errors_count(const struct config_errors *errors)
{
    return errors->count;
}

size_t config_errors_noticed(const struct config_errors *errors)
{
    return errors->count + errors->left_out;
}

// Findings without a place come last.
static int compare(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    unsigned a_line = a->place.line - 1, b_line = b->place.line - 1; // 0 wraps to the largest
    if (a_line != b_line)
        return a_line < b_line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

const char *config_errors_text(struct config_errors *errors, size_t index)
{
    if (errors->final_end > 0)
        errors->final_end = errors->count; // they may be anywhere now
    if (!errors->is_sorted && errors->count > 1)
        qsort(errors->findings, errors->count, sizeof *errors->findings, compare);
    errors->is_sorted = true;
    return errors->findings[index].text;
}
