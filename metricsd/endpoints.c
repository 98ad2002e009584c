// One flat list; there are hundreds at the most.
#include "endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "common/foreign_text.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/state_page.h"

enum { TEXT_SIZE = 256 };

static char *copy_text(const char *text)
{
    char safe[TEXT_SIZE];
    foreign_text_copy(safe, sizeof safe, text, strlen(text));
    return mem_strdup(safe);
}

static int add(struct endpoints *endpoints, const char *upstream, struct json_object *item,
               struct err *err)
{
    const char *name = json_get_string(item, "name", NULL);
    int64_t index = json_get_int(item, "index", -1);
    if (!name)
        return err_set(err, "endpoints: one has no name");
    if (index < 0 || index >= STATE_ENDPOINTS)
        return err_set(err, "endpoints: %s: index is not in the state page", name);
    endpoints->items =
        mem_realloc(endpoints->items, (endpoints->count + 1) * sizeof *endpoints->items);
    endpoints->items[endpoints->count++] =
        (struct endpoint){copy_text(upstream), copy_text(name), (size_t)index};
    return 0;
}

static int add_all(struct endpoints *endpoints, struct json_object *upstreams, struct err *err)
{
    if (!upstreams)
        return 0;
    json_object_object_foreach(upstreams, upstream, list)
    {
        size_t length =
            json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
        for (size_t i = 0; i < length; i++)
            if (add(endpoints, upstream, json_object_array_get_idx(list, i), err) == -1)
                return -1;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct endpoint *one = a, *other = b;
    int order = strcmp(one->upstream, other->upstream);
    return order != 0 ? order : strcmp(one->name, other->name);
}

int endpoints_set(struct endpoints *endpoints, struct json_object *set, struct err *err)
{
    struct endpoints fresh = {0};
    if (add_all(&fresh, set ? json_get_object(set, "upstreams") : NULL, err) == -1) {
        endpoints_clear(&fresh);
        return -1;
    }
    if (fresh.count > 0)
        qsort(fresh.items, fresh.count, sizeof *fresh.items, compare);
    endpoints_clear(endpoints);
    *endpoints = fresh;
    return 0;
}

void endpoints_clear(struct endpoints *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        free(endpoints->items[i].upstream);
        free(endpoints->items[i].name);
    }
    free(endpoints->items);
    *endpoints = (struct endpoints){0};
}

size_t endpoints_count(const struct endpoints *endpoints, const char *upstream)
{
    size_t count = 0;
    for (size_t i = 0; i < endpoints->count; i++)
        count += strcmp(endpoints->items[i].upstream, upstream) == 0;
    return count;
}
