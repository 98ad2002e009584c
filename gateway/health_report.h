// The documents of the health endpoints, from what is known. Pure but for the memory of JSON.
#ifndef GW_GATEWAY_HEALTH_REPORT_H
#define GW_GATEWAY_HEALTH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

enum { HEALTH_MESSAGE_SIZE = 64 };

// Something that requests need, or could do with.
struct health_check {
    const char *name;
    bool is_healthy;
    bool is_critical;
    char message[HEALTH_MESSAGE_SIZE]; // nothing that only we should know
};

struct health_facts {
    const struct health_check *checks;
    size_t check_count;
    bool is_draining;
    uint64_t now_wall_ms;
    uint64_t uptime_ms;
    struct {
        uint64_t heap_used, heap_total, rss, external; // bytes; the latter what is mapped
    } memory;
    struct {
        bool is_healthy;
        uint64_t keys, bytes, hits, misses;
    } cache;
    const char *runtime;
    int pid;
};

enum health_state {
    HEALTH_GOOD,
    HEALTH_DEGRADED, // something that is not critical is away
    HEALTH_BAD,      // something critical is, or the worker drains
};

enum health_state health_report_state(const struct health_facts *facts);

// Bodies of /health/ready and /health/status; the caller's to put.
struct json_object *health_report_ready(const struct health_facts *facts);
struct json_object *health_report_status(const struct health_facts *facts);

// The form of draft-inadarei-api-health-check-06, application/health+json, for both.
struct json_object *health_report_draft(const struct health_facts *facts);

// The same for those that only say that we live.
struct json_object *health_report_draft_pass(void);

#endif
