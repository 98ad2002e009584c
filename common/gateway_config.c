// The keys of "gateway" and the rules between them.
//
// Its process keys are app_config_gateway_keys. Not its job: whether the apps that upstreams name
// exist (ecosystem.c), what an address means (gateway_address.c).

#include "common/gateway_config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/http_text.h"
#include "common/map.h"
#include "common/mem.h"
#include "common/metrics_page.h"

enum { SHA256_DIGITS = 64 };

#define HOUR_MS INT64_C(3600000)
#define LISTEN(field) offsetof(struct listen_config, field)
#define UPSTREAM(field) offsetof(struct upstream_config, field)
#define ROUTE(field) offsetof(struct route_config, field)
#define MONITORING(field) offsetof(struct monitoring_config, field)
#define GATEWAY(field) offsetof(struct gateway_config, field)

// --- listen -----------------------------------------------------------------------------------

static void check_listen(void *object, const char *path, struct config_errors *errors)
{
    const struct listen_config *listen = object;
    char host[64];
    int port;
    struct err err;
    (void)path;
    if (listen_address_parse(listen->address, host, sizeof host, &port, &err) < 0)
        config_errors_add_key(errors, "address", "%s", err.text);
}

static const struct key listen_keys[] = {
    {"address", KEY_STRING, LISTEN(address), .min = 1, .max = 128,
     .flags = KEY_REQUIRED | KEY_RESTART,
     .help = "HOST:PORT; HOST is an IP address, in brackets for IPv6, or * for all addresses of "
             "both kinds."},
    {0},
};

static const struct key_table listen_table = {.noun = "listener",
                                              .keys = listen_keys,
                                              .size = sizeof(struct listen_config),
                                              .check = check_listen};

// --- upstreams --------------------------------------------------------------------------------

static void check_servers(const struct upstream_config *upstream, struct config_errors *errors)
{
    struct server_address address;
    struct err err;
    for (size_t i = 0; i < upstream->servers.count; i++) {
        if (server_address_parse(upstream->servers.items[i], &address, &err) == 0)
            continue;
        char *key = config_path_item("servers", i);
        config_errors_add_key(errors, key, "%s", err.text);
        free(key);
    }
}

// In the health documents an upstream is a key beside these: one with such a name would hide it, or
// be hidden.
static bool is_own_check(const char *name)
{
    return strcmp(name, "redis") == 0 || strcmp(name, "gateway") == 0;
}

static void check_upstream(void *object, const char *path, struct config_errors *errors)
{
    const struct upstream_config *upstream = object;
    (void)path;
    if (is_own_check(upstream->name))
        config_errors_add_key(errors, NULL,
                              "\"%s\" is a check of the gateway's own in /health/ready; "
                              "give the upstream another name",
                              upstream->name);
    if ((upstream->app != NULL) == (upstream->servers.count > 0))
        config_errors_add_key(errors, NULL, "needs one of \"app\" and \"servers\"%s",
                              upstream->app ? ", not both" : "");
    check_servers(upstream, errors);
}

static const struct key upstream_keys[] = {
    {"app", KEY_STRING, UPSTREAM(app), .min = 1, .max = 64,
     .help = "The app of this file that answers; it needs the key \"port\"."},
    {"servers", KEY_STRINGS, UPSTREAM(servers), .min = 1,
     .help = "Or servers: http://HOST:PORT (an IP address or localhost) or unix:/PATH."},
    {"connect_timeout", KEY_DURATION, UPSTREAM(connect_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "2s", .help = "Until a connection is made."},
    {"first_byte_timeout", KEY_DURATION, UPSTREAM(first_byte_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "60s", .help = "From the request sent to the first byte of the answer."},
    {"read_timeout", KEY_DURATION, UPSTREAM(read_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "60s", .help = "Between two pieces of an answer."},
    {"keepalive_timeout", KEY_DURATION, UPSTREAM(keepalive_timeout_ms), .min = 0, .max = HOUR_MS,
     .fallback = "4s", .help = "How long an idle connection is kept."},
    {"keepalive_connections", KEY_INTEGER, UPSTREAM(keepalive_connections), .min = 0, .max = 65536,
     .fallback = "64", .help = "Idle connections that a worker keeps to one process or server."},
    {"critical", KEY_BOOL, UPSTREAM(critical), .fallback = "true",
     .help = "Whether the gateway is not ready without it."},
    {0},
};

static const struct key_table upstream_table = {.noun = "upstream",
                                                .keys = upstream_keys,
                                                .size = sizeof(struct upstream_config),
                                                .check = check_upstream};

// --- routes -----------------------------------------------------------------------------------

static void check_caching(const struct route_config *route, struct config_errors *errors)
{
    if (route->cache_control && !http_text_is_value(route->cache_control))
        config_errors_add_key(errors, "cache_control", "holds a control character");
    if (!route->no_cache)
        return;
    if (route->cache_control)
        config_errors_add_key(errors, "cache_control", "does not go with \"no_cache\"");
    if (route->cache.given.presence == KEY_GIVEN)
        config_errors_add_key(errors, "cache", "does not go with \"no_cache\"");
}

static void check_route(void *object, const char *path, struct config_errors *errors)
{
    static const char form[] =
        "\"%s\" is not a path in its normal form (\"/exact\" or \"/prefix/*\")";
    struct route_config *route = object;
    bool is_prefix, is_rewrite_prefix;
    (void)path;

    if (!http_text_is_pattern(route->path, &is_prefix))
        config_errors_add_key(errors, "path", form, route->path);
    else if (route->rewrite && !http_text_is_pattern(route->rewrite, &is_rewrite_prefix))
        config_errors_add_key(errors, "rewrite", form, route->rewrite);
    else if (route->rewrite && is_prefix != is_rewrite_prefix)
        config_errors_add_key(errors, "rewrite", "must end in \"/*\" exactly when \"path\" does");
    check_caching(route, errors);
    if (!route->id)
        route->id = mem_strdup(route->path);
}

static const struct key route_keys[] = {
    {"id", KEY_STRING, ROUTE(id), .min = 1, .max = 128,
     .help = "What the route is called; without it its path."},
    {"path", KEY_STRING, ROUTE(path), .min = 1, .max = 1024, .flags = KEY_REQUIRED,
     .help = "\"/exact\", or \"/prefix/*\", which also matches \"/prefix\"."},
    {"upstream", KEY_STRING, ROUTE(upstream), .min = 1, .max = 1024, .flags = KEY_REQUIRED,
     .help = "A name from \"upstreams\"."},
    {"rewrite", KEY_STRING, ROUTE(rewrite), .min = 1, .max = 1024,
     .help = "What replaces the path; \"/v2/*\" replaces the prefix only."},
    {"cache", KEY_OBJECT, ROUTE(cache), .table = &cache_config_table,
     .help = "What is different from the gateway's \"cache\"; false: nothing is stored."},
    {"cache_control", KEY_STRING, ROUTE(cache_control), .min = 1, .max = 1024,
     .help = "Replaces Cache-Control in answers with 2xx."},
    {"no_cache", KEY_BOOL, ROUTE(no_cache), .fallback = "false",
     .help = "Whether nobody may store the answers, browsers and ourselves among them."},
    {0},
};

static const struct key_table route_table = {
    .noun = "route", .keys = route_keys, .size = sizeof(struct route_config), .check = check_route};

// --- monitoring -------------------------------------------------------------------------------

static void check_monitoring(void *object, const char *path, struct config_errors *errors)
{
    const struct monitoring_config *monitoring = object;
    const char *hash = monitoring->token_sha256;
    (void)path;
    if (hash == NULL)
        return;
    // Whoever wrote the token itself there does not want to see it again in a log.
    if (strlen(hash) != SHA256_DIGITS || hash[strspn(hash, "0123456789abcdefABCDEF")] != '\0')
        config_errors_add_key(errors, "token_sha256", "is not a SHA-256 in %d hexadecimal digits",
                              SHA256_DIGITS);
}

static const struct key monitoring_keys[] = {
    {"token_sha256", KEY_STRING, MONITORING(token_sha256), .min = 1, .max = 1024,
     .help = "The SHA-256 of the operators' token."},
    {"hash_addresses", KEY_BOOL, MONITORING(hash_addresses), .fallback = "false",
     .help = "Whether a hash stands for a client's address among the last errors."},
    {0},
};

static const struct key_table monitoring_table = {.noun = "monitoring",
                                                  .keys = monitoring_keys,
                                                  .size = sizeof(struct monitoring_config),
                                                  .check = check_monitoring};

// --- the gateway ------------------------------------------------------------------------------

// The finding about `list`[index].`member`.
static void add_item(struct config_errors *errors, const char *list, size_t index,
                     const char *member, const char *sentence)
{
    char *item = config_path_item(list, index);
    char *key = config_path_member(item, member);
    config_errors_add_key(errors, key, "%s", sentence);
    free(key);
    free(item);
}

// Is that one socket? The same address may be written in several ways: "localhost:80" is
// "127.0.0.1:80". "*:80" has both "0.0.0.0:80" and "[::]:80", which go together else.
static bool is_same_address(const char *one, const char *other)
{
    char hosts[2][64];
    int ports[2];
    if (listen_address_parse(one, hosts[0], sizeof hosts[0], &ports[0], NULL) < 0 ||
        listen_address_parse(other, hosts[1], sizeof hosts[1], &ports[1], NULL) < 0)
        return strcmp(one, other) == 0;
    if (ports[0] != ports[1])
        return false;
    for (size_t i = 0; i < 2; i++)
        if (*hosts[i] == '\0' &&
            (strcmp(hosts[1 - i], "0.0.0.0") == 0 || strcmp(hosts[1 - i], "::") == 0))
            return true;
    return strcmp(hosts[0], hosts[1]) == 0;
}

static void check_listener(const struct gateway_config *gateway, size_t index,
                           struct config_errors *errors)
{
    const struct listen_config *listen = gateway->listen.items;
    const char *address = listen[index].address;
    for (size_t i = 0; i < index; i++) {
        struct err err;
        if (!is_same_address(listen[i].address, address))
            continue;
        if (strcmp(listen[i].address, address) == 0)
            (void)err_set(&err, "\"%s\" is there twice", address);
        else
            (void)err_set(&err, "\"%s\" is \"%s\", which is there", address, listen[i].address);
        add_item(errors, "listen", index, "address", err.text);
        return;
    }
}

static void check_listeners(const struct gateway_config *gateway, struct config_errors *errors)
{
    for (size_t i = 1; i < gateway->listen.count; i++)
        check_listener(gateway, i, errors);
}

// What the gateway answers itself before it looks for a route.
static bool is_own_path(const char *path)
{
    static const char *const own[] = {"/health/live", "/health/ready", "/health/startup",
                                      "/health/status"};
    static const char monitoring[] = "/api/monitoring";
    size_t length = sizeof monitoring - 1;
    if (strncmp(path, monitoring, length) == 0 && (path[length] == '/' || path[length] == '\0'))
        return true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(path, own[i]) == 0)
            return true;
    return false;
}

static void check_paths(const struct gateway_config *gateway, struct config_errors *errors)
{
    const struct route_config *routes = gateway->routes.items;
    struct map *seen = map_new();
    for (size_t i = 0; i < gateway->routes.count; i++) {
        struct err err;
        if (is_own_path(routes[i].path))
            add_item(errors, "routes", i, "path", "is the gateway's own, and nothing goes there");
        if (!map_put(seen, routes[i].path, routes[i].path))
            continue;
        (void)err_set(&err, "\"%s\" is there twice", routes[i].path);
        add_item(errors, "routes", i, "path", err.text);
    }
    map_free(seen, NULL);
}

// What the metrics call what has no route, and what is our own (common/metrics_page.h).
static bool is_own_id(const char *id)
{
    return strcmp(id, METRIC_ROUTE_UNMATCHED) == 0 || strcmp(id, METRIC_ROUTE_OVERFLOW) == 0 ||
           strncmp(id, "gwctl_", sizeof "gwctl_" - 1) == 0;
}

static bool has_control(const char *text)
{
    while (*text && (unsigned char)*text >= ' ' && *text != 0x7f)
        text++;
    return *text != '\0';
}

// Metrics and logs know a route by its id alone.
static void check_ids(const struct gateway_config *gateway, struct config_errors *errors)
{
    const struct route_config *routes = gateway->routes.items;
    struct map *seen = map_new();
    for (size_t i = 0; i < gateway->routes.count; i++) {
        struct err err;
        const char *other = map_put(seen, routes[i].id, routes[i].path);
        if (is_own_id(routes[i].id))
            (void)err_set(&err, "\"%s\" is the gateway's own word; give the route another id",
                          routes[i].id);
        else if (has_control(routes[i].id))
            (void)err_set(&err, "has a control character");
        else if (other && strcmp(other, routes[i].path) != 0) // else that is what check_paths says
            (void)err_set(&err, "\"%s\" is the id of another route, too", routes[i].id);
        else
            continue;
        add_item(errors, "routes", i, "id", err.text);
    }
    map_free(seen, NULL);
}

static void check_route_upstreams(const struct gateway_config *gateway,
                                  struct config_errors *errors)
{
    const struct upstream_config *upstreams = gateway->upstreams.items;
    const struct route_config *routes = gateway->routes.items;
    const char **names = mem_zalloc(gateway->upstreams.count + 1, sizeof *names);
    struct map *known = map_new();

    for (size_t i = 0; i < gateway->upstreams.count; i++) {
        names[i] = upstreams[i].name;
        (void)map_put(known, names[i], upstreams[i].name);
    }
    for (size_t i = 0; i < gateway->routes.count; i++) {
        if (map_get(known, routes[i].upstream))
            continue;
        struct err err;
        const char *near = suggest_word(routes[i].upstream, names);
        (void)err_set(&err, "no upstream \"%s\"%s%s%s", routes[i].upstream,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        add_item(errors, "routes", i, "upstream", err.text);
    }
    map_free(known, NULL);
    free(names);
}

static void check_gateway(void *object, const char *path, struct config_errors *errors)
{
    struct gateway_config *gateway = object;
    (void)path;
    check_listeners(gateway, errors);
    check_paths(gateway, errors);
    check_ids(gateway, errors);
    check_route_upstreams(gateway, errors);
    app_config_says_ready(&gateway->process);
}

static int parse_access_log(struct json_object *value, void *field, struct err *err)
{
    static const char *const words[] = {
        [ACCESS_LOG_OFF] = "false", [ACCESS_LOG_TEXT] = "text", [ACCESS_LOG_JSON] = "json"};
    const char *word = json_object_get_string(value);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (word && strcmp(word, words[i]) == 0) {
            *(int *)field = (int)i;
            return 0;
        }
    }
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not \"text\", \"json\" or false", quoted);
    free(quoted);
    return -1;
}

static const struct key gateway_keys[] = {
    {"listen", KEY_OBJECTS, GATEWAY(listen), .min = 1, .flags = KEY_REQUIRED | KEY_RESTART,
     .table = &listen_table, .help = "The addresses that the gateway listens on."},
    {"upstreams", KEY_OBJECT_MAP, GATEWAY(upstreams), .table = &upstream_table,
     .help = "Who answers requests, by name."},
    {"routes", KEY_OBJECTS, GATEWAY(routes), .min = 1, .flags = KEY_REQUIRED, .table = &route_table,
     .help = "Which requests go where; the longest path that fits counts."},
    {"keepalive_timeout", KEY_DURATION, GATEWAY(keepalive_timeout_ms), .min = 0, .max = HOUR_MS,
     .fallback = "75s", .help = "How long a client's connection is kept between two requests."},
    {"head_timeout", KEY_DURATION, GATEWAY(head_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "60s", .help = "From the first byte of a request to the end of its head."},
    {"body_timeout", KEY_DURATION, GATEWAY(body_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "60s", .help = "Between two pieces of a request's body."},
    {"send_timeout", KEY_DURATION, GATEWAY(send_timeout_ms), .min = 1, .max = HOUR_MS,
     .fallback = "60s", .help = "How long a client may take nothing of its answer."},
    {"max_body", KEY_SIZE, GATEWAY(max_body_bytes), .min = 0, .max = INT64_C(1) << 40,
     .fallback = "10M", .help = "The longest body of a request."},
    {"access_log", KEY_CUSTOM, GATEWAY(access_log), .fallback = "text", .parse = parse_access_log,
     .size = sizeof(int), .help = "Each request as a line of \"text\" or \"json\"; false: not."},
    {"cache", KEY_OBJECT, GATEWAY(cache), .table = &gateway_cache_config_table,
     .help = "Which answers are stored and given again; without it none."},
    {"monitoring", KEY_OBJECT, GATEWAY(monitoring), .table = &monitoring_table,
     .help = "Who may do what is the operators' alone."},
    {0},
};

const struct key_table gateway_config_table = {.noun = "gateway",
                                               .keys = gateway_keys,
                                               .size = sizeof(struct gateway_config),
                                               .base_keys = app_config_gateway_keys,
                                               .check = check_gateway};

bool gateway_config_cache(const struct gateway_config *gateway, const struct route_config *route,
                          struct cache_config *effective)
{
    return cache_config_merge(&gateway->cache.answers, &route->cache, effective) &&
           !route->no_cache;
}
