// Lists of routes. People know a route by its path, so that stands for its id where the
// configuration tells it.
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/ecosystem.h"
#include "common/mem.h"
#include "views.h"

enum { LISTED = 10 };

struct line {
    const char *route;
    unsigned methods; // a bit each
    uint64_t count;
    double rank; // what the list is sorted by
};

struct lines {
    struct line *items;
    size_t count;
};

static struct line *add_line(struct lines *lines, const char *route)
{
    // Doubled at powers of two: a configuration may have thousands of routes.
    if ((lines->count & (lines->count - 1)) == 0)
        lines->items = mem_realloc(lines->items, (2 * lines->count + 1) * sizeof *lines->items);
    struct line *line = &lines->items[lines->count++];
    *line = (struct line){.route = route};
    return line;
}

static const char *path_of(const struct facts *facts, const char *route)
{
    if (strcmp(route, METRIC_ROUTE_HEALTH) == 0)
        return "/health/*";
    if (strcmp(route, METRIC_ROUTE_MONITORING) == 0)
        return "/api/monitoring/*";
    if (!facts->ecosystem || !facts->ecosystem->gateway)
        return route;
    const struct key_array *routes = &facts->ecosystem->gateway->routes;
    const struct route_config *items = routes->items;
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(items[i].id, route) == 0)
            return items[i].path;
    return route;
}

// "GET /api/services"; of several methods "GET|POST /api/services".
static struct json_object *describe_route(const struct facts *facts, const struct line *line)
{
    struct buf text = BUF_INIT;
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        if (line->methods & 1u << i)
            buf_printf(&text, "%s%s", text.length > 0 ? "|" : "", metric_method_name(i));
    buf_printf(&text, " %s", path_of(facts, line->route));
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "route", json_object_new_string(buf_text(&text)));
    json_object_object_add(object, "count", json_object_new_uint64(line->count));
    buf_free(&text);
    return object;
}

static int compare(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    if (one->rank != other->rank)
        return one->rank < other->rank ? 1 : -1;
    int order = strcmp(one->route, other->route);
    return order != 0 ? order : (int)one->methods - (int)other->methods;
}

static void sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->items, lines->count, sizeof *lines->items, compare);
}

// Series of requests are sorted by route, then by method.
struct json_object *routes_top(const struct facts *facts)
{
    struct series_range range = merge_family(facts->merge, METRIC_REQUESTS);
    struct json_object *list = json_object_new_array();
    struct lines lines = {0};
    for (size_t i = 0; i < range.count;) {
        const struct series *first = range.items[i];
        struct line line = {.route = first->label[0], .methods = 1u << first->first};
        for (; i < range.count && range.items[i]->label[0] == first->label[0] &&
               range.items[i]->first == first->first;
             i++)
            line.count += series_since_reset(range.items[i]);
        line.rank = (double)line.count;
        if (line.count > 0)
            *add_line(&lines, line.route) = line;
    }
    sort(&lines);
    for (size_t i = 0; i < lines.count && i < LISTED; i++)
        json_object_array_add(list, describe_route(facts, &lines.items[i]));
    free(lines.items);
    return list;
}

// The sums of durations are sorted by route too.
static double average_us(const struct merge *merge, const struct line *line, size_t *at)
{
    struct series_range sums = merge_family(merge, METRIC_DURATION_SUM);
    while (*at < sums.count && strcmp(sums.items[*at]->label[0], line->route) < 0)
        ++*at;
    if (*at == sums.count || sums.items[*at]->label[0] != line->route)
        return 0;
    return (double)series_since_reset(sums.items[*at]) / (double)line->count;
}

struct json_object *routes_slowest(const struct facts *facts)
{
    struct series_range range = merge_family(facts->merge, METRIC_REQUESTS);
    struct json_object *list = json_object_new_array();
    struct lines lines = {0};
    size_t sum = 0;
    for (size_t i = 0; i < range.count;) {
        struct line line = {.route = range.items[i]->label[0]};
        for (; i < range.count && range.items[i]->label[0] == line.route; i++) {
            uint64_t count = series_since_reset(range.items[i]);
            line.methods |= count > 0 ? 1u << range.items[i]->first : 0;
            line.count += count;
        }
        if (line.count == 0)
            continue;
        line.rank = average_us(facts->merge, &line, &sum);
        *add_line(&lines, line.route) = line;
    }
    sort(&lines);
    for (size_t i = 0; i < lines.count && i < LISTED; i++) {
        struct json_object *object = describe_route(facts, &lines.items[i]);
        uint64_t average_ms = (uint64_t)(lines.items[i].rank / 1000 + 0.5);
        json_object_object_add(object, "avgResponseTime", json_object_new_uint64(average_ms));
        json_object_array_add(list, object);
    }
    free(lines.items);
    return list;
}
