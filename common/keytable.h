// A configuration object is described by one table: a row a key. Parser, `gwctl check`, errors,
// defaults and reference all come from the rows.
//
// The values land in a plain struct at the row's offset. What a row allocates is freed by
// keytable_clear. All errors of a file are collected, each with its path, line and column:
//   app.json:7:24: apps[0].instances: "many" is not a number of instances (1 to 256, ...)
//   app.json:9:5: apps[0].instnaces: unknown key; did you mean "instances"?
#ifndef GW_COMMON_KEYTABLE_H
#define GW_COMMON_KEYTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

// Field type in the struct, form in the file.
enum key_type {
    KEY_BOOL,        // bool; true or false, or a string holding one (from ${...})
    KEY_INTEGER,     // int64_t; a number, or a string holding one (from ${...}); min..max
    KEY_DURATION,    // int64_t ms; 1500 (ms), "500ms", "10s", "15m", "1h", "1d"; min..max in ms
    KEY_SIZE,        // int64_t bytes; 1024, "512K", "300M", "1G" (1024-based); min..max in bytes
    KEY_STRING,      // char *; not empty unless min is 0
    KEY_WORD,        // int; index into `words`
    KEY_STRINGS,     // struct key_strings; an array of strings, or one string (split like a shell);
                     // at least min
    KEY_ENVIRONMENT, // struct key_strings of "NAME=value"; an object of scalars; objects as JSON
    KEY_OBJECT,      // a struct embedded at offset, described by `table`; absent = all defaults
    KEY_OBJECTS,    // struct key_array; an array of objects described by `table`; at least min; the
                    // fallback is JSON
    KEY_OBJECT_MAP, // struct key_array; an object of objects; each item's first field is
                    // `char *` and holds its key
    KEY_CUSTOM,     // whatever `parse` makes of it
};

enum key_flags {
    KEY_REQUIRED = 1,
    KEY_RESTART = 2, // a change takes effect only in a new process
};

struct key_strings {
    char **items; // NULL-terminated when count > 0, else NULL
    size_t count;
};

struct key_array {
    void *items; // count structs of table->size
    size_t count;
};

// What of an object stood in the file.
enum key_presence {
    KEY_ABSENT,
    KEY_FALSE, // `false` in its place
    KEY_GIVEN,
};

struct key_given {
    enum key_presence presence;
    uint64_t rows; // bit i: the i-th row, base rows first
};

struct key_table;
struct config_errors;

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    int64_t min, max;
    const char *fallback; // as it would stand in the file, without quotes; NULL: zero/NULL/empty
    unsigned flags;
    const char *const *words;      // KEY_WORD: NULL-terminated
    const struct key_table *table; // KEY_OBJECT, KEY_OBJECTS, KEY_OBJECT_MAP
    const char *const *aliases;    // other spellings, NULL-terminated; may be NULL
    // KEY_CUSTOM: fills the field (at the row's offset) from value; returns -1 with a sentence that
    // stands behind the path. May be called with the fallback as a JSON string.
    int (*parse)(struct json_object *value, void *field, struct err *err);
    void (*clear)(void *field); // KEY_CUSTOM: releases it; may be NULL
    size_t size;                // KEY_CUSTOM: of the field; for keytable_overlay
    const char *help;           // one sentence
};

struct key_table {
    const char *noun;       // "app", "route": for the reference
    const struct key *keys; // ends with a row whose name is NULL
    size_t size;            // of the struct
    // Rows of the struct that this one begins with, before the table's own; may be NULL.
    const struct key *base_keys;
    // An item of KEY_OBJECTS may also be the name of a KEY_BOOL row: "x" for {"x": true}. The
    // check is not called for it.
    bool has_words;
    // The struct has a struct key_given at the offset `given`, and at most 64 rows.
    bool notes_given;
    size_t given;
    // KEY_OBJECT: `false` may stand for the object, which then has its defaults; needs notes_given.
    bool may_be_false;
    // Rules between fields; adds its findings to errors. May be NULL. Called only when the object
    // had no finding of its own.
    void (*check)(void *object, const char *path, struct config_errors *errors);
};

// --- errors of one file -----------------------------------------------------------------------

struct config_errors;

// `file` is the name in front of each line ("-" reads "standard input"); copied.
struct config_errors *config_errors_new(const char *file);
void config_errors_free(struct config_errors *errors);
void config_errors_add(struct config_errors *errors, struct json_place place, const char *format,
                       ...) GW_PRINTF(3, 4);
// A finding about the object at hand, at the place of its key `key` (or of the object when NULL).
// Only from a table's check function.
void config_errors_add_key(struct config_errors *errors, const char *key, const char *format, ...)
    GW_PRINTF(3, 4);
size_t config_errors_count(const struct config_errors *errors);
// In the order of their place in the file. Valid until the next add or free.
const char *config_errors_text(struct config_errors *errors, size_t index);

// --- tables -----------------------------------------------------------------------------------

// Fills `object` (table->size bytes, any content) from `value` with the table: defaults first, then
// what is there. doc gives places and may be NULL. path is the value's path ("apps[0]", "" = root).
// Returns 0, or -1 when it added errors; the object is valid for keytable_clear in both cases.
int keytable_parse(const struct key_table *table, struct json_object *value,
                   const struct json_doc *doc, const char *path, void *object,
                   struct config_errors *errors) GW_MUST_USE;

// Frees what the rows allocated and zeroes the object.
void keytable_clear(const struct key_table *table, void *object);

// Whether the row `name` of an object stood in the file; the table notes it, and has that row.
bool keytable_is_given(const struct key_table *table, const void *object, const char *name);

// Fills `result` with what `over` was given and, where nothing was, with what stands in `base`; of
// embedded objects that note what they were given, key by key. The table notes it. What the rows
// point to stays that of base and over: never clear the result. It may be neither of the two.
void keytable_overlay(const struct key_table *table, const void *base, const void *over,
                      void *result);

// The known word nearest to `word` (optimal string alignment distance, at most a third of its
// length), or NULL. `words` is NULL-terminated.
const char *suggest_word(const char *word, const char *const *words);

// Durations and sizes as the rows read them, for the command line. -1 with a sentence.
int key_parse_duration(const char *text, int64_t *ms, struct err *err) GW_MUST_USE;
int key_parse_size(const char *text, int64_t *bytes, struct err *err) GW_MUST_USE;

#endif
