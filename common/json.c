// JSON documents with places: json_scan.c checks the text, json-c makes the tree, and here both are
// joined.
//
// Invariant: a place hangs on what does not move while the tree lives: for a member on the address
// of its key's text inside the object, for an item on its array and index, for a container on its
// own address. So strings may be replaced and members added without losing a place.

#include "common/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/mem.h"

enum { TOKENER_DEPTH = 64 }; // more than json_scan.c lets through

#define WHOLE SIZE_MAX // the index that stands for the value itself

struct entry {
    const void *anchor; // NULL: free
    size_t index;
    size_t mark;
};

struct json_doc {
    struct json_scan scan;
    struct json_object *root;
    struct entry *entries; // open addressing, a power of two
    size_t entry_mask;
};

// --- the table of places ----------------------------------------------------------------------

static struct entry *find_entry(const struct json_doc *doc, const void *anchor, size_t index)
{
    uint64_t hash = ((uint64_t)(uintptr_t)anchor + index * 31) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 20) & doc->entry_mask;
    while (doc->entries[at].anchor &&
           (doc->entries[at].anchor != anchor || doc->entries[at].index != index))
        at = (at + 1) & doc->entry_mask;
    return &doc->entries[at];
}

static void add_entry(struct json_doc *doc, const void *anchor, size_t index, size_t mark)
{
    if (anchor)
        *find_entry(doc, anchor, index) = (struct entry){anchor, index, mark};
}

static const struct json_mark *find_mark(const struct json_doc *doc, const void *anchor,
                                         size_t index)
{
    const struct entry *entry = doc && anchor ? find_entry(doc, anchor, index) : NULL;
    return entry && entry->anchor ? &doc->scan.marks[entry->mark] : NULL;
}

static void join(struct json_doc *doc, struct json_object *value, size_t mark);

static void join_members(struct json_doc *doc, struct json_object *object, size_t mark)
{
    size_t child = mark + 1;
    struct lh_entry *member;
    lh_foreach(json_object_get_object(object), member)
    {
        add_entry(doc, lh_entry_k(member), 0, child);
        join(doc, (struct json_object *)lh_entry_v(member), child);
        child = doc->scan.marks[child].end;
    }
}

static void join_items(struct json_doc *doc, struct json_object *array, size_t mark)
{
    size_t child = mark + 1, count = json_object_array_length(array);
    for (size_t i = 0; i < count; i++) {
        add_entry(doc, array, i, child);
        join(doc, json_object_array_get_idx(array, i), child);
        child = doc->scan.marks[child].end;
    }
}

static void join(struct json_doc *doc, struct json_object *value, size_t mark)
{
    if (json_object_is_type(value, json_type_object))
        join_members(doc, value, mark);
    else if (json_object_is_type(value, json_type_array))
        join_items(doc, value, mark);
    add_entry(doc, value, WHOLE, mark);
}

static void build_places(struct json_doc *doc)
{
    size_t capacity = 16;
    while (capacity < doc->scan.count * 4) // two entries a value at most, half of them free
        capacity *= 2;
    doc->entries = mem_zalloc(capacity, sizeof *doc->entries);
    doc->entry_mask = capacity - 1;
    join(doc, doc->root, 0);
}

// --- parsing ----------------------------------------------------------------------------------

static int build_tree(const struct json_scan *scan, struct json_object **root, size_t *failed_at,
                      struct err *err)
{
    struct json_tokener *tokener = json_tokener_new_ex(TOKENER_DEPTH);
    if (!tokener)
        return err_set(err, "no memory for a parser");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    // With its NUL, or json-c would wait for more digits of a number.
    *root = json_tokener_parse_ex(tokener, scan->text, (int)scan->length + 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    *failed_at = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    return error == json_tokener_success ? 0 : err_set(err, "%s", json_tokener_error_desc(error));
}

struct json_doc *json_doc_parse(const char *text, size_t length, enum json_mode mode,
                                struct json_place *place, struct err *err)
{
    struct json_doc *doc = mem_zalloc(1, sizeof *doc);
    size_t failed_at = 0;
    int result = json_scan_init(&doc->scan, text, length, mode, err);

    if (result < 0)
        failed_at = doc->scan.failed_at;
    else
        result = build_tree(&doc->scan, &doc->root, &failed_at, err);
    if (result == 0) {
        build_places(doc);
        return doc;
    }
    if (place)
        *place = json_scan_place(&doc->scan, failed_at);
    json_doc_free(doc);
    return NULL;
}

void json_doc_free(struct json_doc *doc)
{
    if (!doc)
        return;
    json_object_put(doc->root);
    json_scan_fini(&doc->scan);
    free(doc->entries);
    free(doc);
}

struct json_object *json_doc_root(const struct json_doc *doc)
{
    return doc->root;
}

struct json_object *json_parse_message(const char *line, size_t length, struct err *err)
{
    struct json_scan scan;
    struct json_object *root = NULL;
    size_t failed_at;
    int result = json_scan_init(&scan, line, length, JSON_STRICT, err);

    if (result == 0)
        result = build_tree(&scan, &root, &failed_at, err);
    json_scan_fini(&scan);
    if (result < 0)
        return NULL;
    if (!json_object_is_type(root, json_type_object)) {
        json_object_put(root);
        (void)err_set(err, "not a JSON object");
        return NULL;
    }
    return root;
}

// --- places -----------------------------------------------------------------------------------

static const struct json_mark *find_member(const struct json_doc *doc, struct json_object *object,
                                           const char *key)
{
    if (!doc || !json_object_is_type(object, json_type_object))
        return NULL;
    struct lh_entry *member = lh_table_lookup_entry(json_object_get_object(object), key);
    return member ? find_mark(doc, lh_entry_k(member), 0) : NULL;
}

struct json_place json_member_place(const struct json_doc *doc, struct json_object *object,
                                    const char *key)
{
    const struct json_mark *mark = find_member(doc, object, key);
    return mark ? json_scan_place(&doc->scan, mark->key) : (struct json_place){0, 0};
}

struct json_place json_value_place(const struct json_doc *doc, struct json_object *object,
                                   const char *key)
{
    const struct json_mark *mark = find_member(doc, object, key);
    return mark ? json_scan_place(&doc->scan, mark->value) : (struct json_place){0, 0};
}

struct json_place json_item_place(const struct json_doc *doc, struct json_object *array,
                                  size_t index)
{
    const struct json_mark *mark = find_mark(doc, array, index);
    return mark ? json_scan_place(&doc->scan, mark->value) : (struct json_place){0, 0};
}

struct json_place json_own_place(const struct json_doc *doc, struct json_object *value)
{
    const struct json_mark *mark = find_mark(doc, value, WHOLE);
    if (doc && !doc->root && !value)
        mark = &doc->scan.marks[0];
    return mark ? json_scan_place(&doc->scan, mark->value) : (struct json_place){0, 0};
}

// --- members by type --------------------------------------------------------------------------

static struct json_object *get_typed(struct json_object *object, const char *key,
                                     enum json_type type)
{
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
        return NULL;
    return value;
}

const char *json_get_string(struct json_object *object, const char *key, const char *fallback)
{
    struct json_object *value = get_typed(object, key, json_type_string);
    return value ? json_object_get_string(value) : fallback;
}

int64_t json_get_int(struct json_object *object, const char *key, int64_t fallback)
{
    struct json_object *value = get_typed(object, key, json_type_int);
    return value ? json_object_get_int64(value) : fallback;
}

bool json_get_bool(struct json_object *object, const char *key, bool fallback)
{
    struct json_object *value = get_typed(object, key, json_type_boolean);
    return value ? json_object_get_boolean(value) : fallback;
}

struct json_object *json_get_object(struct json_object *object, const char *key)
{
    return get_typed(object, key, json_type_object);
}

struct json_object *json_get_array(struct json_object *object, const char *key)
{
    return get_typed(object, key, json_type_array);
}
