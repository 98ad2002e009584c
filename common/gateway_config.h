// What an ecosystem file says under "gateway": listeners, upstreams, routes; its process keys are
// those of an app (app_config.h).
#ifndef GW_COMMON_GATEWAY_CONFIG_H
#define GW_COMMON_GATEWAY_CONFIG_H

#include "common/app_config.h"
#include "common/cache_config.h"

struct listen_config {
    char *address; // "127.0.0.1:5055", "[::1]:80", "*:80" or "0.0.0.0:80"
};

struct upstream_config {
    char *name;                 // the key of the map
    char *app;                  // a supervised app with a port ...
    struct key_strings servers; // ... or "http://127.0.0.1:9000", "unix:/run/app.sock"; one of both
    int64_t connect_timeout_ms;
    int64_t first_byte_timeout_ms; // request sent to first byte of the answer
    int64_t read_timeout_ms;       // between two pieces of the answer
    int64_t keepalive_timeout_ms;  // an idle connection is closed by us after this
    int64_t keepalive_connections; // idle ones kept per worker and endpoint
    bool critical;                 // without an endpoint of it no worker is ready
};

struct route_config {
    char *id;       // default: the path
    char *path;     // "/exact" or "/prefix/*" (also matches "/prefix")
    char *upstream; // a key of upstreams
    char *rewrite;  // "/v2/*": replaces the prefix (or the whole path); NULL: unchanged
    struct cache_config cache;
    char *cache_control; // replaces that of 2xx; NULL: the upstream's stays
    bool no_cache;       // no answer is to be kept by anybody
};

struct monitoring_config {
    char *token_sha256;  // in hexadecimal digits; NULL: there is no token
    bool hash_addresses; // of clients, before they are kept with an error
};

enum access_log_form { ACCESS_LOG_OFF, ACCESS_LOG_TEXT, ACCESS_LOG_JSON };

struct gateway_config {
    struct app_config process;
    struct key_array listen;      // struct listen_config
    struct key_array upstreams;   // struct upstream_config
    struct key_array routes;      // struct route_config
    int64_t keepalive_timeout_ms; // between two requests of a client; 0: no keep-alive
    int64_t head_timeout_ms;      // a whole request head, from its first byte
    int64_t body_timeout_ms;      // between two pieces of a request body
    int64_t send_timeout_ms;      // for a client to take some of the answer
    int64_t max_body_bytes;
    int access_log; // enum access_log_form
    struct gateway_cache_config cache;
    struct monitoring_config monitoring;
};

extern const struct key_table gateway_config_table;

// What the cache does for a route; see cache_config_merge. Nothing when the route says no_cache.
bool gateway_config_cache(const struct gateway_config *gateway, const struct route_config *route,
                          struct cache_config *effective);

// "host:port" of a listener in parts; host "" for all addresses. -1 with a sentence.
int listen_address_parse(const char *address, char *host, size_t host_size, int *port,
                         struct err *err) GW_MUST_USE;

// A server of an upstream: "http://HOST[:PORT]" (HOST an IP address or localhost) or "unix:/path".
struct server_address {
    char host[64]; // numeric IP; "" for a Unix socket
    int port;
    char path[108]; // Unix socket; "" for TCP
};
int server_address_parse(const char *text, struct server_address *address,
                         struct err *err) GW_MUST_USE;

#endif
