// The keys of "redis", and the variables that stand in for them.
//
// The variables are those that clients of Redis read before: who sets them needs no "redis" in the
// file. They count where the cache runs, so they are no part of the document. Invariant: no text
// that is made here holds the password.

#include "common/redis_config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/config_errors.h"
#include "common/http_text.h"
#include "common/key_values.h"
#include "common/mem.h"
#include "common/secret.h"

enum { HOST_LIMIT = 253, PREFIX_LIMIT = 256, DATABASE_LIMIT = 65535 };

#define KIB INT64_C(1024)
#define GIB (KIB * KIB * KIB)
#define REDIS(field) offsetof(struct redis_config, field)

// --- rules ------------------------------------------------------------------------------------

static bool is_socket_path(const char *path)
{
    return *path == '/' && strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path) &&
           http_text_is_value(path);
}

// Whether the name exists is for the resolver to say; "host:6379" and "redis://host" are none.
static bool is_name(const char *text)
{
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return length > 0 && length <= HOST_LIMIT && !text[length] && *text != '-' && *text != '.';
}

static int check_host(const char *host, struct err *err)
{
    struct in6_addr address;
    if (strncmp(host, "unix:", 5) == 0 ? is_socket_path(host + 5)
                                       : is_name(host) || inet_pton(AF_INET6, host, &address) == 1)
        return 0;
    char *shown = secret_mask_url(host);
    (void)err_set(err, "\"%s\" is neither a name, an IP address nor unix:/PATH", shown);
    free(shown);
    return -1;
}

static void drop_empty(char **text)
{
    if (*text && **text)
        return;
    free(*text);
    *text = NULL;
}

// Its host stands in the file and is empty.
static bool is_switched_off(const struct redis_config *redis)
{
    return !redis->host && keytable_is_given(&redis_config_table, redis, "host");
}

static void check_redis(void *object, const char *path, struct config_errors *errors)
{
    struct redis_config *redis = object;
    struct err err;
    (void)path;
    drop_empty(&redis->host);
    drop_empty(&redis->username);
    drop_empty(&redis->password);
    if (redis->host && check_host(redis->host, &err) < 0)
        config_errors_add_key(errors, "host", "%s", err.text);
    // Not of a Redis that is switched off: one file serves machines with one and without.
    if (redis->username && !redis->password && !is_switched_off(redis))
        config_errors_add_key(errors, "username", "needs a \"password\"");
    if (!http_text_is_value(redis->prefix) || strchr(redis->prefix, '\t'))
        config_errors_add_key(errors, "prefix", "holds a control character");
}

// --- tables -----------------------------------------------------------------------------------

static const struct key redis_keys[] = {
    {"host", KEY_STRING, REDIS(host), .flags = KEY_RESTART,
     .help = "A name, an IP address or \"unix:/PATH\"; empty: no Redis."},
    {"port", KEY_INTEGER, REDIS(port), .min = 1, .max = 65535, .fallback = "6379",
     .flags = KEY_RESTART, .help = "Its port."},
    {"username", KEY_STRING, REDIS(username), .flags = KEY_RESTART,
     .help = "Who logs in; without it the user `default`."},
    {"password", KEY_STRING, REDIS(password), .flags = KEY_RESTART,
     .help = "What logs in; without it nobody does."},
    {"database", KEY_INTEGER, REDIS(database), .min = 0, .max = DATABASE_LIMIT, .fallback = "0",
     .flags = KEY_RESTART, .help = "The number of the database."},
    {"prefix", KEY_STRING, REDIS(prefix), .max = PREFIX_LIMIT,
     .fallback = "gwctl:", .flags = KEY_RESTART, .help = "What stands before each key in Redis."},
    {"deadline", KEY_DURATION, REDIS(deadline_ms), .min = 1, .max = 10000, .fallback = "50ms",
     .flags = KEY_RESTART, .help = "How long a command waits for Redis."},
    {"queue", KEY_SIZE, REDIS(queue_bytes), .min = 64 * KIB, .max = GIB, .fallback = "8M",
     .flags = KEY_RESTART,
     .help = "How much is remembered of what Redis has not been told while it is away."},
    {"critical", KEY_BOOL, REDIS(critical), .fallback = "false", .flags = KEY_RESTART,
     .help = "Whether the gateway is not ready without it."},
    {0},
};

const struct key_table redis_config_table = {.noun = "redis",
                                             .keys = redis_keys,
                                             .size = sizeof(struct redis_config),
                                             .notes_given = true,
                                             .given = REDIS(given),
                                             .may_be_false = true,
                                             .check = check_redis};

// --- the environment --------------------------------------------------------------------------

// The variable that stands in for a key of the file; NULL: the file has it, or there is none.
static const char *find_variable(const struct redis_config *config, const char *key,
                                 const char *(*lookup)(const char *name), const char *name)
{
    if (keytable_is_given(&redis_config_table, config, key))
        return NULL;
    const char *text = lookup(name);
    return text && *text ? text : NULL;
}

static int set_host(struct redis_config *config, const char *host, struct err *err)
{
    if (check_host(host, err) < 0)
        return err_prefix(err, "REDIS_HOST");
    config->host = mem_strdup(host);
    return 0;
}

// As the key would read it.
static int set_port(struct redis_config *config, const char *text, struct err *err)
{
    static const struct key row = {"port", KEY_INTEGER, .min = 1, .max = 65535};
    struct json_object *value = json_object_new_string(text);
    int result = key_value_parse(&row, value, &config->port, err);
    json_object_put(value);
    return result == 0 ? 0 : err_prefix(err, "REDIS_PORT");
}

int redis_config_add_environment(struct redis_config *config,
                                 const char *(*lookup)(const char *name), struct err *err)
{
    if (config->given.presence == KEY_FALSE)
        return 0;
    const char *host = find_variable(config, "host", lookup, "REDIS_HOST");
    if (host && set_host(config, host, err) < 0)
        return -1;
    // Not before: container systems set REDIS_PORT to a URL for whoever has a neighbour `redis`.
    if (!redis_config_is_on(config))
        return 0;
    const char *port = find_variable(config, "port", lookup, "REDIS_PORT");
    if (port && set_port(config, port, err) < 0)
        return -1;
    const char *password = find_variable(config, "password", lookup, "REDIS_PASSWORD");
    if (password)
        config->password = mem_strdup(password);
    return 0;
}

bool redis_config_is_on(const struct redis_config *config)
{
    return config->host != NULL;
}
