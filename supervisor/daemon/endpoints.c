// Builds, compares and pushes endpoint sets.

#include "endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "control.h"

struct endpoints {
    struct daemon *daemon;
    uint64_t generation;
    struct json_object *sets; // as last pushed: those of the gateway, then of workers' own settings
    bool used[STATE_ENDPOINTS];
    int next_index;
};

struct endpoints *endpoints_new(struct daemon *daemon)
{
    struct endpoints *endpoints = mem_zalloc(1, sizeof *endpoints);
    endpoints->daemon = daemon;
    endpoints->sets = json_object_new_array();
    return endpoints;
}

void endpoints_free(struct endpoints *endpoints)
{
    json_object_put(endpoints->sets);
    free(endpoints);
}

static void add_worker(struct worker *worker, void *context)
{
    struct json_object *set = context;
    char address[64];
    worker_address(worker, address, sizeof address);
    if (!worker->serving || !*address)
        return;
    struct json_object *endpoint = json_object_new_object();
    json_object_object_add(endpoint, "name", json_object_new_string(worker->label));
    json_object_object_add(endpoint, "address", json_object_new_string(address));
    json_object_object_add(endpoint, "index", json_object_new_int(worker->endpoint));
    json_object_array_add(set, endpoint);
}

static struct json_object *build_sets(const struct endpoints *endpoints, const struct spec *spec)
{
    struct json_object *sets = json_object_new_object();
    const struct key_array *upstreams = &spec_gateway(spec)->upstreams;
    const struct upstream_config *list = upstreams->items;
    for (size_t i = 0; i < upstreams->count; i++) {
        struct app *app = list[i].app ? daemon_find_app(endpoints->daemon, list[i].app) : NULL;
        if (!list[i].app)
            continue;
        struct json_object *set = json_object_new_array();
        if (app)
            app_each_worker(app, add_worker, set);
        json_object_object_add(sets, list[i].name, set);
    }
    return sets;
}

// Whose upstreams concern it; NULL: there is no gateway.
static const struct spec *find_spec(const struct endpoints *endpoints, const struct worker *worker)
{
    if (spec_gateway(worker->spec))
        return worker->spec;
    const struct app *gateway = daemon_gateway(endpoints->daemon);
    return gateway ? gateway->spec : NULL;
}

struct json_object *endpoints_current(const struct endpoints *endpoints,
                                      const struct worker *worker)
{
    struct json_object *current = json_object_new_object();
    const struct spec *spec = find_spec(endpoints, worker);
    json_object_object_add(current, "generation",
                           json_object_new_int64((int64_t)endpoints->generation));
    json_object_object_add(current, "upstreams",
                           spec ? build_sets(endpoints, spec) : json_object_new_object());
    return current;
}

struct collection {
    const struct endpoints *endpoints;
    struct json_object *sets;
    const struct spec *last;
};

static void collect_sets(struct collection *collection, const struct spec *spec)
{
    collection->last = spec;
    json_object_array_add(collection->sets, build_sets(collection->endpoints, spec));
}

// Workers of one generation follow each other: what comes twice is compared twice, no more.
static void collect_own(struct worker *worker, void *context)
{
    struct collection *collection = context;
    if (worker->spec != worker->app->spec && worker->spec != collection->last)
        collect_sets(collection, worker->spec);
}

static struct json_object *build_all_sets(const struct endpoints *endpoints)
{
    struct collection collection = {endpoints, json_object_new_array(), NULL};
    struct app *gateway = daemon_gateway(endpoints->daemon);
    if (gateway) {
        collect_sets(&collection, gateway->spec);
        app_each_worker(gateway, collect_own, &collection);
    }
    return collection.sets;
}

static void push_to(struct control_connection *connection, void *context)
{
    struct json_object *message = json_object_new_object();
    json_object_object_add(message, "cmd", json_object_new_string("endpoints"));
    json_object_object_add(message, "args", endpoints_current(context, control_worker(connection)));
    control_send(connection, message);
}

static void log_generation(const struct endpoints *endpoints)
{
    struct json_object *sets = json_object_array_get_idx(endpoints->sets, 0);
    log_info("endpoints: generation %llu: %s", (unsigned long long)endpoints->generation,
             sets ? json_object_to_json_string_ext(sets, JSON_C_TO_STRING_PLAIN) : "{}");
}

uint64_t endpoints_push(struct endpoints *endpoints)
{
    struct json_object *sets = build_all_sets(endpoints);
    if (json_object_equal(sets, endpoints->sets)) {
        json_object_put(sets);
        return endpoints->generation;
    }
    json_object_put(endpoints->sets);
    endpoints->sets = sets;
    endpoints->generation++;
    log_generation(endpoints);
    control_each_worker(endpoints->daemon->control, push_to, endpoints);
    return endpoints->generation;
}

uint64_t endpoints_generation(const struct endpoints *endpoints)
{
    return endpoints->generation;
}

void endpoints_resume(struct endpoints *endpoints, uint64_t generation)
{
    endpoints->generation = generation;
}

struct ack_check {
    uint64_t generation;
    bool all;
    bool kill;
};

// One that was never ready has no requests. One that is not registered (the supervisor is new, or
// the connection broke) may still pick from the set it had.
static void check_ack(struct worker *worker, void *context)
{
    struct ack_check *check = context;
    if (!worker->was_ready || !worker_state_alive(worker->state) ||
        (worker->link && control_acked(worker->link) >= check->generation))
        return;
    check->all = false;
    if (check->kill)
        worker_kill(worker, RESTART_HUNG, "did not acknowledge an endpoint set");
}

static bool check_acks(const struct endpoints *endpoints, uint64_t generation, bool kill)
{
    struct ack_check check = {generation, true, kill};
    struct app *gateway = daemon_gateway(endpoints->daemon);
    if (gateway)
        app_each_worker(gateway, check_ack, &check);
    return check.all;
}

bool endpoints_acknowledged(const struct endpoints *endpoints, uint64_t generation)
{
    return check_acks(endpoints, generation, false);
}

void endpoints_kill_silent(const struct endpoints *endpoints, uint64_t generation)
{
    check_acks(endpoints, generation, true);
}

int endpoints_take_index(struct endpoints *endpoints)
{
    for (int tried = 0; tried < STATE_ENDPOINTS; tried++) {
        int index = endpoints->next_index;
        endpoints->next_index = (index + 1) % STATE_ENDPOINTS;
        if (!endpoints->used[index]) {
            endpoints->used[index] = true;
            return index;
        }
    }
    return WORKER_NO_ENDPOINT;
}

void endpoints_reserve_index(struct endpoints *endpoints, int index)
{
    if (index >= 0 && index < STATE_ENDPOINTS)
        endpoints->used[index] = true;
}

void endpoints_free_index(struct endpoints *endpoints, int index)
{
    if (index != WORKER_NO_ENDPOINT)
        endpoints->used[index] = false;
}
