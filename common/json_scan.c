// Walks a JSON text once: refuses what RFC 8259 refuses, blanks what JSON_RELAXED allows beyond it,
// notes where each value stands.
//
// json-c alone would accept duplicate keys, NaN, single quotes, control characters and numbers that
// do not fit, and it knows no places. Whatever passes here, json-c reads the same way, so a tree
// and its marks can be walked side by side. Not its job: the tree (json.c).

#include "common/json_scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json_token.h"
#include "common/map.h"
#include "common/mem.h"

enum { DEPTH_LIMIT = 32, LENGTH_LIMIT = 4 << 20 };

struct scanner {
    struct json_scan *scan;
    char *text;
    size_t length;
    size_t at;
    size_t capacity; // of scan->marks
    unsigned depth;
    enum json_mode mode;
    struct err *err;
};

static int scan_value(struct scanner *scanner, size_t key);

// --- places -----------------------------------------------------------------------------------

static void find_lines(struct json_scan *scan)
{
    size_t count = 1, n = 1;
    for (size_t i = 0; i < scan->length; i++)
        count += scan->text[i] == '\n';
    scan->lines = mem_zalloc(count, sizeof *scan->lines);
    for (size_t i = 0; i < scan->length; i++)
        if (scan->text[i] == '\n')
            scan->lines[n++] = i + 1;
    scan->line_count = count;
}

struct json_place json_scan_place(const struct json_scan *scan, size_t offset)
{
    size_t low = 0, high = scan->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (scan->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (struct json_place){(unsigned)(low + 1), (unsigned)(offset - scan->lines[low] + 1)};
}

static size_t add_mark(struct scanner *scanner, size_t key)
{
    struct json_scan *scan = scanner->scan;
    if (scan->count == scanner->capacity) {
        scanner->capacity = scanner->capacity > 0 ? scanner->capacity * 2 : 16;
        scan->marks = mem_realloc(scan->marks, scanner->capacity * sizeof *scan->marks);
    }
    scan->marks[scan->count] = (struct json_mark){key, scanner->at, 0};
    return scan->count++;
}

// --- blanks -----------------------------------------------------------------------------------

// Line ends stay, so that places do.
static void blank(struct scanner *scanner, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (scanner->text[i] != '\n')
            scanner->text[i] = ' ';
}

static int skip_comment(struct scanner *scanner)
{
    char *start = scanner->text + scanner->at;
    char *last = scanner->text + scanner->length, *end;

    if (scanner->mode == JSON_STRICT || (start[1] != '/' && start[1] != '*'))
        return err_set(scanner->err, "unexpected \"/\"");
    if (start[1] == '/') {
        end = memchr(start, '\n', (size_t)(last - start));
        end = end ? end : last;
    } else {
        end = memmem(start + 2, (size_t)(last - start - 2), "*/", 2);
        if (!end)
            return err_set(scanner->err, "the comment has no end");
        end += 2;
    }
    size_t to = (size_t)(end - scanner->text);
    blank(scanner, scanner->at, to);
    scanner->at = to;
    return 0;
}

static int skip_blanks(struct scanner *scanner)
{
    for (;;) {
        scanner->at += strspn(scanner->text + scanner->at, " \t\r\n");
        if (scanner->text[scanner->at] != '/')
            return 0;
        if (skip_comment(scanner) < 0)
            return -1;
    }
}

// --- containers -------------------------------------------------------------------------------

static int fail_expected(struct scanner *scanner, const char *expected)
{
    unsigned char byte = (unsigned char)scanner->text[scanner->at];
    if (scanner->at >= scanner->length)
        return err_set(scanner->err, "%s expected, but the text ends", expected);
    if (byte == '\'')
        return err_set(scanner->err, "%s expected; strings stand in double quotes", expected);
    if (byte == '"')
        return err_set(scanner->err, "%s expected, not a string", expected);
    if (byte > ' ' && byte < 0x7F)
        return err_set(scanner->err, "%s expected, not \"%c\"", expected, byte);
    return err_set(scanner->err, "%s expected, not the byte 0x%02x", expected, byte);
}

static int open_container(struct scanner *scanner)
{
    if (scanner->depth == DEPTH_LIMIT)
        return err_set(scanner->err, "nested deeper than %d", DEPTH_LIMIT);
    scanner->depth++;
    scanner->at++;
    return skip_blanks(scanner);
}

// Behind a value: 1 = another one follows, 0 = the container is closed.
static int close_or_next(struct scanner *scanner, char closing)
{
    if (skip_blanks(scanner) < 0)
        return -1;
    size_t comma = scanner->at;
    if (scanner->text[comma] == ',') {
        scanner->at++;
        if (skip_blanks(scanner) < 0)
            return -1;
        if (scanner->text[scanner->at] != closing)
            return 1;
        if (scanner->mode == JSON_STRICT) {
            scanner->at = comma;
            return err_set(scanner->err, "a comma before \"%c\"", closing);
        }
        blank(scanner, comma, comma + 1);
    }
    if (scanner->text[scanner->at] != closing)
        return fail_expected(scanner, closing == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
    scanner->at++;
    scanner->depth--;
    return 0;
}

static int scan_array(struct scanner *scanner)
{
    if (open_container(scanner) < 0)
        return -1;
    if (scanner->text[scanner->at] == ']') {
        scanner->at++;
        scanner->depth--;
        return 0;
    }
    for (;;) {
        if (scan_value(scanner, scanner->at) < 0)
            return -1;
        int more = close_or_next(scanner, ']');
        if (more <= 0)
            return more;
    }
}

static int scan_key(struct scanner *scanner, struct map *keys)
{
    static char present;
    struct buf key = BUF_INIT;
    size_t start = scanner->at;
    int result;

    if (scanner->text[start] != '"')
        return fail_expected(scanner, "a key");
    result = json_token_string(scanner->text, scanner->length, &scanner->at, &key, scanner->err);
    if (result == 0 && map_put(keys, buf_text(&key), &present)) {
        scanner->at = start;
        result = err_set(scanner->err, "the key \"%s\" is there twice", buf_text(&key));
    }
    buf_free(&key);
    return result;
}

static int scan_member(struct scanner *scanner, struct map *keys)
{
    size_t key = scanner->at;
    if (scan_key(scanner, keys) < 0 || skip_blanks(scanner) < 0)
        return -1;
    if (scanner->text[scanner->at] != ':')
        return fail_expected(scanner, "\":\"");
    scanner->at++;
    if (skip_blanks(scanner) < 0 || scan_value(scanner, key) < 0)
        return -1;
    return close_or_next(scanner, '}');
}

static int scan_object(struct scanner *scanner)
{
    if (open_container(scanner) < 0)
        return -1;
    if (scanner->text[scanner->at] == '}') {
        scanner->at++;
        scanner->depth--;
        return 0;
    }
    struct map *keys = map_new();
    int more = 1;
    while (more > 0)
        more = scan_member(scanner, keys);
    map_free(keys, NULL);
    return more;
}

// --- values -----------------------------------------------------------------------------------

static int scan_literal(struct scanner *scanner)
{
    static const char *const literals[] = {"true", "false", "null"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *start = scanner->text + scanner->at;
    size_t length = strspn(start, letters);

    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++)
        if (length == strlen(literals[i]) && memcmp(start, literals[i], length) == 0) {
            scanner->at += length;
            return 0;
        }
    if (length > 1)
        return err_set(scanner->err, "a value expected, not %.*s", length > 40 ? 40 : (int)length,
                       start);
    return fail_expected(scanner, "a value");
}

static int scan_value(struct scanner *scanner, size_t key)
{
    size_t mark = add_mark(scanner, key);
    char first = scanner->text[scanner->at];
    int result;

    if (first == '{')
        result = scan_object(scanner);
    else if (first == '[')
        result = scan_array(scanner);
    else if (first == '"')
        result =
            json_token_string(scanner->text, scanner->length, &scanner->at, NULL, scanner->err);
    else if (first == '-' || (first >= '0' && first <= '9'))
        result = json_token_number(scanner->text, &scanner->at, scanner->err);
    else
        result = scan_literal(scanner);
    scanner->scan->marks[mark].end = scanner->scan->count;
    return result;
}

static int scan_text(struct scanner *scanner)
{
    if (scanner->length > LENGTH_LIMIT)
        return err_set(scanner->err, "longer than 4 MiB");
    if (skip_blanks(scanner) < 0 || scan_value(scanner, scanner->at) < 0 ||
        skip_blanks(scanner) < 0)
        return -1;
    return scanner->at == scanner->length ? 0 : fail_expected(scanner, "the end of the text");
}

int json_scan_init(struct json_scan *scan, const char *text, size_t length, enum json_mode mode,
                   struct err *err)
{
    struct scanner scanner = {.scan = scan, .length = length, .mode = mode, .err = err};
    // No more is kept of a text that is refused for its length.
    size_t kept = length > LENGTH_LIMIT ? 0 : length;

    *scan = (struct json_scan){.text = mem_zalloc(kept + 1, 1), .length = kept};
    if (kept > 0)
        memcpy(scan->text, text, kept);
    find_lines(scan);
    scanner.text = scan->text;
    int result = scan_text(&scanner);
    scan->failed_at = scanner.at;
    return result;
}

void json_scan_fini(struct json_scan *scan)
{
    free(scan->text);
    free(scan->marks);
    free(scan->lines);
}
