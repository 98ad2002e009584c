// Keys, types and forms of numbers are those that clients of Node services know: megabytes and
// shares are texts with two decimals.
#include "health_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"

#define SERVICE "gwctl-gateway"

static void put_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static void put_number(struct json_object *object, const char *key, uint64_t number)
{
    json_object_object_add(object, key, json_object_new_int64((int64_t)number));
}

static void put_bool(struct json_object *object, const char *key, bool value)
{
    json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *put_object(struct json_object *object, const char *key)
{
    struct json_object *member = json_object_new_object();
    json_object_object_add(object, key, member);
    return member;
}

static void put_time(struct json_object *object, const char *key, uint64_t wall_ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(wall_ms, text);
    put_text(object, key, text);
}

static void put_megabytes(struct json_object *object, const char *key, uint64_t bytes)
{
    char text[32];
    snprintf(text, sizeof(text), "%.2f MB", (double)bytes / (1 << 20));
    put_text(object, key, text);
}

enum health_state health_report_state(const struct health_facts *facts)
{
    enum health_state state = facts->is_draining ? HEALTH_BAD : HEALTH_GOOD;
    for (size_t i = 0; i < facts->check_count; ++i) {
        if (facts->checks[i].is_healthy)
            continue;
        if (facts->checks[i].is_critical)
            state = HEALTH_BAD;
        else if (state == HEALTH_GOOD)
            state = HEALTH_DEGRADED;
    }
    return state;
}

// --- ready --------------------------------------------------------------------------------------

static void put_check(struct json_object *checks, const char *name, bool is_healthy,
                      const char *message)
{
    struct json_object *check = put_object(checks, name);
    put_bool(check, "healthy", is_healthy);
    put_text(check, "message", message);
}

struct json_object *health_report_ready(const struct health_facts *facts)
{
    static const char *const words[] = {
        [HEALTH_GOOD] = "ready", [HEALTH_DEGRADED] = "degraded", [HEALTH_BAD] = "not ready"};
    struct json_object *document = json_object_new_object();
    put_text(document, "status", words[health_report_state(facts)]);
    struct json_object *checks = put_object(document, "checks");
    for (size_t i = 0; i < facts->check_count; ++i)
        put_check(checks, facts->checks[i].name, facts->checks[i].is_healthy,
                  facts->checks[i].message);
    if (facts->is_draining)
        put_check(checks, "gateway", false, "draining");
    put_time(document, "timestamp", facts->now_wall_ms);
    return document;
}

// --- status -------------------------------------------------------------------------------------

static void put_uptime(struct json_object *document, uint64_t ms)
{
    uint64_t minutes = ms / 60000;
    char text[48];
    struct json_object *uptime = put_object(document, "uptime");
    put_number(uptime, "milliseconds", ms);
    put_number(uptime, "seconds", ms / 1000);
    put_number(uptime, "minutes", minutes);
    put_number(uptime, "hours", minutes / 60);
    snprintf(text, sizeof(text), "%" PRIu64 "h %" PRIu64 "m", minutes / 60, minutes % 60);
    put_text(uptime, "formatted", text);
}

static void put_memory(struct json_object *document, const struct health_facts *facts)
{
    struct json_object *memory = put_object(document, "memory");
    put_megabytes(memory, "heapUsed", facts->memory.heap_used);
    put_megabytes(memory, "heapTotal", facts->memory.heap_total);
    put_megabytes(memory, "rss", facts->memory.rss);
    put_megabytes(memory, "external", facts->memory.external);
    put_megabytes(memory, "arrayBuffers", 0); // there are none outside of JavaScript
}

static void put_cache(struct json_object *document, const struct health_facts *facts)
{
    uint64_t hits = facts->cache.hits, lookups = hits + facts->cache.misses;
    char rate[32];
    struct json_object *cache = put_object(document, "cache");
    put_bool(cache, "healthy", facts->cache.is_healthy);
    put_number(cache, "keys", facts->cache.keys);
    put_megabytes(cache, "memory", facts->cache.bytes);
    struct json_object *stats = put_object(cache, "stats");
    put_number(stats, "hits", hits);
    put_number(stats, "misses", facts->cache.misses);
    snprintf(rate, sizeof(rate), "%.2f%%",
             lookups == 0 ? 0.0 : (double)hits * 100 / (double)lookups);
    put_text(stats, "hitRate", rate);
}

struct json_object *health_report_status(const struct health_facts *facts)
{
    static const char *const words[] = {
        [HEALTH_GOOD] = "healthy", [HEALTH_DEGRADED] = "degraded", [HEALTH_BAD] = "unhealthy"};
    struct json_object *document = json_object_new_object();
    put_text(document, "status", words[health_report_state(facts)]);
    put_uptime(document, facts->uptime_ms);
    put_memory(document, facts);
    put_cache(document, facts);
    struct json_object *checks = put_object(document, "checks");
    for (size_t i = 0; i < facts->check_count; ++i)
        put_bool(put_object(checks, facts->checks[i].name), "healthy", facts->checks[i].is_healthy);
    put_text(document, "version", GWCTL_VERSION);
    json_object_object_add(document, "nodeVersion", NULL);
    put_text(document, "runtime", facts->runtime);
    put_number(document, "pid", (uint64_t)facts->pid);
    return document;
}

// --- the draft's form ---------------------------------------------------------------------------

struct json_object *health_report_draft_pass(void)
{
    struct json_object *document = json_object_new_object();
    put_text(document, "status", "pass");
    put_text(document, "version", GWCTL_VERSION);
    put_text(document, "serviceId", SERVICE);
    return document;
}

// Each key has an array: one element for each node of a component.
static struct json_object *put_measurement(struct json_object *checks, const char *key,
                                           const char *type, const char *status, uint64_t wall_ms)
{
    struct json_object *array = json_object_new_array(), *measurement = json_object_new_object();
    json_object_object_add(checks, key, array);
    json_object_array_add(array, measurement);
    put_text(measurement, "componentType", type);
    put_text(measurement, "status", status);
    put_time(measurement, "time", wall_ms);
    return measurement;
}

static void put_draft_check(struct json_object *checks, const struct health_check *check,
                            uint64_t wall_ms)
{
    const char *status = check->is_healthy ? "pass" : check->is_critical ? "fail" : "warn";
    char key[512];
    snprintf(key, sizeof(key), "%s:availability", check->name);
    struct json_object *measurement = put_measurement(checks, key, "component", status, wall_ms);
    if (!check->is_healthy)
        put_text(measurement, "output", check->message);
}

static void put_draft_uptime(struct json_object *checks, const struct health_facts *facts)
{
    struct json_object *uptime =
        put_measurement(checks, "uptime", "system", "pass", facts->now_wall_ms);
    put_number(uptime, "observedValue", facts->uptime_ms / 1000);
    put_text(uptime, "observedUnit", "s");
}

struct json_object *health_report_draft(const struct health_facts *facts)
{
    static const char *const words[] = {
        [HEALTH_GOOD] = "pass", [HEALTH_DEGRADED] = "warn", [HEALTH_BAD] = "fail"};
    struct json_object *document = health_report_draft_pass();
    put_text(document, "status", words[health_report_state(facts)]);
    if (facts->is_draining)
        put_text(document, "output", "draining");
    struct json_object *checks = put_object(document, "checks");
    for (size_t i = 0; i < facts->check_count; ++i)
        put_draft_check(checks, &facts->checks[i], facts->now_wall_ms);
    put_draft_uptime(checks, facts);
    return document;
}
