// /errors: the newest records of all columns. What is in them is a client's: it is made UTF-8
// without control characters here.
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/foreign_text.h"
#include "common/mem.h"
#include "totals.h"
#include "views.h"

#define YEAR_10000_MS UINT64_C(253402300800000) // no timestamp can say it

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, LIMIT_DIGITS = 6 };

// The newest `limit`, in no order until they are sorted; room for a ring more.
struct collection {
    struct metric_error *items;
    size_t count, limit;
    uint64_t since_ms; // older ones are not wanted
};

// --- the query ----------------------------------------------------------------------------------

struct wanted {
    bool kinds[ERRORS_KINDS];
    size_t limit;
};

static bool is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static int parse_limit(const char *text, size_t length, size_t *limit)
{
    size_t number = 0;
    if (length == 0 || length > LIMIT_DIGITS)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (size_t)(text[i] - '0');
    }
    *limit = number < LIMIT_MAX ? number : LIMIT_MAX;
    return 0;
}

static int parse_query(const char *query, struct wanted *wanted)
{
    size_t length;
    const char *class = view_parameter(query, "class", &length);
    bool is_all = class && is(class, length, "all"),
         is_client = class && is(class, length, "client");
    if (class && !is_all && !is_client && !is(class, length, "server"))
        return -1;
    wanted->kinds[ERRORS_SERVER] = !is_client;
    wanted->kinds[ERRORS_CLIENT] = is_client || is_all;
    wanted->limit = LIMIT_DEFAULT;
    const char *limit = view_parameter(query, "limit", &length);
    return limit ? parse_limit(limit, length, &wanted->limit) : 0;
}

// --- collecting ---------------------------------------------------------------------------------

static int compare(const void *a, const void *b)
{
    const struct metric_error *one = a, *other = b;
    return one->wall_ms < other->wall_ms ? 1 : one->wall_ms > other->wall_ms ? -1 : 0;
}

static void collect_ring(struct collection *collection, const struct metric_error_ring *ring)
{
    struct metric_error *fresh = collection->items + collection->count;
    size_t count = metrics_read_errors(ring, fresh);
    for (size_t i = 0; i < count; i++)
        if (fresh[i].wall_ms >= collection->since_ms && fresh[i].wall_ms < YEAR_10000_MS)
            collection->items[collection->count++] = fresh[i];
    qsort(collection->items, collection->count, sizeof *collection->items, compare);
    if (collection->count > collection->limit)
        collection->count = collection->limit;
}

static void collect(struct collection *collection, const struct metrics_page *page,
                    const struct wanted *wanted)
{
    for (size_t i = 0; i < STATE_COLUMNS; i++) {
        if (atomic_load_explicit(&page->opened[i], memory_order_relaxed) == 0)
            continue;
        for (unsigned kind = 0; kind < ERRORS_KINDS; kind++)
            if (wanted->kinds[kind])
                collect_ring(collection, &page->column[i].errors[kind]);
    }
}

// --- writing ------------------------------------------------------------------------------------

static void add_foreign(struct json_object *object, const char *key, const char *text, size_t size)
{
    char safe[sizeof(((struct metric_error *)NULL)->path) + 1];
    foreign_text_copy(safe, sizeof safe, text, strnlen(text, size));
    json_object_object_add(object, key, json_object_new_string(safe));
}

static struct json_object *describe(const struct metric_error *error)
{
    struct json_object *object = json_object_new_object();
    char timestamp[CLOCK_ISO_SIZE];
    clock_format_iso(error->wall_ms, timestamp);
    json_object_object_add(object, "timestamp", json_object_new_string(timestamp));
    json_object_object_add(object, "method",
                           json_object_new_string(metric_method_name(error->method)));
    add_foreign(object, "path", error->path, sizeof error->path);
    json_object_object_add(object, "statusCode", json_object_new_int(error->status));
    json_object_object_add(object, "duration",
                           json_object_new_uint64((error->duration_us + 500) / 1000));
    add_foreign(object, "userAgent", error->user_agent, sizeof error->user_agent);
    add_foreign(object, "ip", error->ip, sizeof error->ip);
    return object;
}

static uint64_t count_all(const struct facts *facts, const struct wanted *wanted)
{
    struct totals totals;
    totals_read(&totals, facts->merge, TOTALS_SINCE_RESET);
    return (wanted->kinds[ERRORS_SERVER] ? totals_of_class(&totals, 5) : 0) +
           (wanted->kinds[ERRORS_CLIENT] ? totals_of_class(&totals, 4) : 0);
}

int view_errors(const struct facts *facts, const char *query, struct buf *out)
{
    struct wanted wanted;
    if (parse_query(query, &wanted) == -1)
        return -1;
    struct collection collection = {
        .items = mem_alloc((wanted.limit + METRICS_ERRORS) * sizeof(struct metric_error)),
        .limit = wanted.limit,
        .since_ms = atomic_load_explicit(&facts->page->baseline, memory_order_acquire) == 0
                        ? 0
                        : view_since_ms(facts)};
    collect(&collection, facts->page, &wanted);
    struct json_object *document = json_object_new_object(), *errors = json_object_new_array();
    for (size_t i = 0; i < collection.count; i++)
        json_object_array_add(errors, describe(&collection.items[i]));
    json_object_object_add(document, "total", json_object_new_uint64(count_all(facts, &wanted)));
    json_object_object_add(document, "errors", errors);
    view_write(document, out);
    free(collection.items);
    return 0;
}
