// Endpoint sets; see the header. No I/O and no libuv: a test needs no network.
//
// Invariant: an endpoint is in exactly one set, or `removed`; a removed one has uses > 0 and is
// freed by the endpoint_end that brings them to 0.
#include "endpoints.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/gateway_config.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/state_page.h"
#include "counters.h"

#define SCHEME "http://"

// What an upstream's endpoints will be once the whole push was understood.
struct candidate {
    struct endpoint **endpoints;
    size_t count;
};

static void endpoint_free(struct endpoint *endpoint)
{
    free(endpoint->name);
    free(endpoint->address);
    free(endpoint);
}

static int fill_socket_address(struct endpoint *endpoint, const struct server_address *parsed,
                               struct err *err)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&endpoint->socket_address;
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&endpoint->socket_address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&endpoint->socket_address;
    if (parsed->path[0] != '\0') {
        size_t length = strlen(parsed->path);
        if (length >= sizeof(local->sun_path))
            return err_set(err, "socket path is too long");
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, parsed->path, length + 1);
        endpoint->socket_address_length = sizeof(*local);
    } else if (inet_pton(AF_INET, parsed->host, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons((uint16_t)parsed->port);
        endpoint->socket_address_length = sizeof(*ipv4);
    } else if (inet_pton(AF_INET6, parsed->host, &ipv6->sin6_addr) == 1) {
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons((uint16_t)parsed->port);
        endpoint->socket_address_length = sizeof(*ipv6);
    } else {
        return err_set(err, "not an IP address");
    }
    return 0;
}

// A pushed address is "HOST:PORT" or "unix:/path", a server of the file also "http://HOST:PORT".
static int parse_address(struct endpoint *endpoint, struct err *err)
{
    const char *text = endpoint->address;
    struct server_address parsed;
    char *url = NULL;
    if (strncmp(text, "unix:", 5) != 0)
        text = url = mem_printf("%s%s", SCHEME, text);
    int result = server_address_parse(text, &parsed, err);
    free(url);
    if (result == 0)
        result = fill_socket_address(endpoint, &parsed, err);
    return result == 0 ? 0 : err_prefix(err, "%s", endpoint->address);
}

static struct endpoint *endpoint_new(const struct upstream_config *config, const char *name,
                                     const char *address, size_t index, struct err *err)
{
    struct endpoint *endpoint = mem_zalloc(1, sizeof(*endpoint));
    endpoint->name = mem_strdup(name);
    bool has_scheme = strncmp(address, SCHEME, strlen(SCHEME)) == 0;
    endpoint->address = mem_strdup(has_scheme ? address + strlen(SCHEME) : address);
    endpoint->index = index;
    endpoint->config = config;
    endpoint->metrics.text = endpoint->name;
    if (parse_address(endpoint, err) == 0)
        return endpoint;
    endpoint_free(endpoint);
    return NULL;
}

static bool endpoint_is(const struct endpoint *endpoint, const char *name, const char *address,
                        size_t index)
{
    return endpoint->index == index && strcmp(endpoint->address, address) == 0 &&
           strcmp(endpoint->name, name) == 0;
}

static struct endpoint *find(struct endpoint *const *endpoints, size_t count, const char *name,
                             const char *address, size_t index)
{
    for (size_t i = 0; i < count; ++i)
        if (endpoint_is(endpoints[i], name, address, index))
            return endpoints[i];
    return NULL;
}

static bool contains(struct endpoint *const *endpoints, size_t count,
                     const struct endpoint *endpoint)
{
    for (size_t i = 0; i < count; ++i)
        if (endpoints[i] == endpoint)
            return true;
    return false;
}

static int add_pushed(const struct upstream *upstream, struct json_object *item,
                      struct candidate *candidate, struct err *err)
{
    const char *name = json_get_string(item, "name", NULL);
    const char *address = json_get_string(item, "address", NULL);
    int64_t index = json_get_int(item, "index", -1);
    if (name == NULL || address == NULL)
        return err_set(err, "an endpoint needs a name and an address");
    if (index < 0 || index >= STATE_ENDPOINTS)
        return err_set(err, "%s: index is not in the state page", name);
    if (find(candidate->endpoints, candidate->count, name, address, (size_t)index) != NULL)
        return err_set(err, "%s: listed twice", name);
    struct endpoint *endpoint =
        find(upstream->endpoints, upstream->count, name, address, (size_t)index);
    if (endpoint == NULL)
        endpoint = endpoint_new(upstream->config, name, address, (size_t)index, err);
    if (endpoint == NULL)
        return -1;
    candidate->endpoints[candidate->count++] = endpoint;
    return 0;
}

static int read_pushed(const struct upstream *upstream, struct json_object *set,
                       struct candidate *candidate, struct err *err)
{
    struct json_object *array = json_get_array(set, upstream->config->name);
    size_t count = array == NULL ? 0 : json_object_array_length(array);
    if (count > BALANCE_MAX_ENDPOINTS)
        return err_set(err, "more than %d endpoints", BALANCE_MAX_ENDPOINTS);
    candidate->endpoints = mem_zalloc(count + 1, sizeof(*candidate->endpoints));
    for (size_t i = 0; i < count; ++i)
        if (add_pushed(upstream, json_object_array_get_idx(array, i), candidate, err) != 0)
            return -1;
    return 0;
}

static void remove_endpoint(const struct upstreams *upstreams, struct endpoint *endpoint)
{
    upstreams->on_removed(endpoint, upstreams->context);
    endpoint->removed = true;
    if (endpoint->uses == 0)
        endpoint_free(endpoint);
}

static void take_candidate(const struct upstreams *upstreams, struct upstream *upstream,
                           struct candidate *candidate)
{
    struct upstream old = *upstream;
    upstream->endpoints = candidate->endpoints;
    upstream->count = candidate->count;
    for (size_t i = 0; i < old.count; ++i)
        if (!contains(upstream->endpoints, upstream->count, old.endpoints[i]))
            remove_endpoint(upstreams, old.endpoints[i]);
    free(old.endpoints);
}

static void drop_candidate(const struct upstream *upstream, struct candidate *candidate)
{
    for (size_t i = 0; i < candidate->count; ++i)
        if (!contains(upstream->endpoints, upstream->count, candidate->endpoints[i]))
            endpoint_free(candidate->endpoints[i]);
    free(candidate->endpoints);
}

static bool is_pushed(const struct upstream *upstream)
{
    return upstream->config->app != NULL;
}

int upstreams_push(struct upstreams *upstreams, struct json_object *args, struct err *err)
{
    struct json_object *set = json_get_object(args, "upstreams");
    int64_t generation = json_get_int(args, "generation", -1);
    if (set == NULL || generation < 0)
        return err_set(err, "endpoints: generation or upstreams are missing");
    struct candidate *candidates = mem_zalloc(upstreams->count + 1, sizeof(*candidates));
    int result = 0;
    for (size_t i = 0; i < upstreams->count && result == 0; ++i)
        if (is_pushed(&upstreams->items[i]))
            result = read_pushed(&upstreams->items[i], set, &candidates[i], err);
    for (size_t i = 0; i < upstreams->count; ++i) {
        if (result == 0 && is_pushed(&upstreams->items[i]))
            take_candidate(upstreams, &upstreams->items[i], &candidates[i]);
        else
            drop_candidate(&upstreams->items[i], &candidates[i]);
    }
    free(candidates);
    if (result != 0)
        return err_prefix(err, "endpoints");
    upstreams->generation = (uint64_t)generation;
    return 0;
}

int upstream_open(struct upstream *upstream, const struct upstream_config *config, size_t index,
                  struct err *err)
{
    const struct key_strings *servers = &config->servers;
    *upstream = (struct upstream){.config = config, .index = index};
    if (servers->count > BALANCE_MAX_ENDPOINTS)
        return err_set(err, "upstream %s: more than %d servers", config->name,
                       BALANCE_MAX_ENDPOINTS);
    upstream->endpoints = mem_zalloc(servers->count + 1, sizeof(*upstream->endpoints));
    for (size_t i = 0; i < servers->count; ++i) {
        const char *text = servers->items[i];
        struct endpoint *endpoint = endpoint_new(config, text, text, ENDPOINT_UNCOUNTED, err);
        if (endpoint == NULL)
            return err_prefix(err, "upstream %s", config->name);
        upstream->endpoints[upstream->count++] = endpoint;
    }
    return 0;
}

void upstream_close(struct upstream *upstream, const struct upstreams *upstreams)
{
    for (size_t i = 0; i < upstream->count; ++i)
        remove_endpoint(upstreams, upstream->endpoints[i]);
    free(upstream->endpoints);
    *upstream = (struct upstream){.count = 0};
}

int upstreams_init(struct upstreams *upstreams, const struct gateway_config *config,
                   struct state_column *column,
                   void (*on_removed)(struct endpoint *endpoint, void *context), void *context,
                   struct err *err)
{
    const struct upstream_config *configs = config->upstreams.items;
    *upstreams = (struct upstreams){.column = column, .on_removed = on_removed, .context = context};
    upstreams->items = mem_zalloc(config->upstreams.count + 1, sizeof(*upstreams->items));
    for (size_t i = 0; i < config->upstreams.count; ++i) {
        if (upstream_open(&upstreams->items[upstreams->count++], &configs[i], i, err) != 0) {
            upstreams_fini(upstreams);
            return -1;
        }
    }
    return 0;
}

void upstreams_fini(struct upstreams *upstreams)
{
    for (size_t i = 0; i < upstreams->count; ++i)
        upstream_close(&upstreams->items[i], upstreams);
    free(upstreams->items);
    upstreams->items = NULL;
    upstreams->count = 0;
}

static size_t pick_unavoided(struct upstream *upstream, const struct balance_mask *tried,
                             uint64_t now_ms)
{
    struct balance_mask except = *tried;
    for (size_t i = 0; i < upstream->count; ++i)
        if (now_ms < upstream->endpoints[i]->avoid_until_ms)
            balance_mask_add(&except, i);
    return balance_round_robin(upstream->count, &upstream->next, &except);
}

struct endpoint *upstream_pick(struct upstream *upstream, struct balance_mask *tried,
                               uint64_t now_ms)
{
    size_t position = BALANCE_NONE;
    if (now_ms < upstream->avoid_until_ms)
        position = pick_unavoided(upstream, tried, now_ms);
    if (position == BALANCE_NONE)
        position = balance_round_robin(upstream->count, &upstream->next, tried);
    if (position == BALANCE_NONE)
        return NULL;
    balance_mask_add(tried, position);
    return upstream->endpoints[position];
}

void endpoint_avoid(struct upstream *upstream, struct endpoint *endpoint, uint64_t now_ms)
{
    endpoint->avoid_until_ms = upstream->avoid_until_ms = now_ms + ENDPOINT_AVOID_MS;
}

void endpoint_welcome(struct endpoint *endpoint)
{
    endpoint->avoid_until_ms = 0;
}

void endpoint_begin(const struct upstreams *upstreams, struct endpoint *endpoint)
{
    ++endpoint->uses;
    if (endpoint->index != ENDPOINT_UNCOUNTED)
        gauge_up(&upstreams->column->endpoint_in_flight[endpoint->index]);
}

void endpoint_end(const struct upstreams *upstreams, struct endpoint *endpoint)
{
    if (endpoint->index != ENDPOINT_UNCOUNTED)
        gauge_down(&upstreams->column->endpoint_in_flight[endpoint->index]);
    if (--endpoint->uses == 0 && endpoint->removed)
        endpoint_free(endpoint);
}
