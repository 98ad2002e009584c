// INFO, in the form and with the names that Redis has, as far as they mean something here.
#include "handlers.h"
#include "mirror.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t uptime_ms(const struct request *request)
{
    uint64_t started_ms = request->service->started_ms;
    return request->now_ms > started_ms ? request->now_ms - started_ms : 0;
}

static void put(struct buf *text, const char *name, uint64_t value)
{
    buf_printf(text, "%s:%llu\r\n", name, (unsigned long long)value);
}

static void write_server(const struct request *request, struct buf *text)
{
    uint64_t seconds = uptime_ms(request) / 1000;
    buf_append_text(text, "# Server\r\nredis_version:" COMPATIBLE_VERSION "\r\n"
                          "gwctl_version:" GWCTL_VERSION "\r\nredis_mode:standalone\r\n");
    buf_printf(text, "arch_bits:%zu\r\nmultiplexing_api:epoll\r\nprocess_id:%ld\r\n",
               sizeof(void *) * 8, (long)getpid());
    buf_append_text(text, "tcp_port:0\r\n");
    put(text, "uptime_in_seconds", seconds);
    put(text, "uptime_in_days", seconds / 86400);
}

static void write_clients(const struct request *request, struct buf *text)
{
    buf_append_text(text, "# Clients\r\n");
    put(text, "connected_clients", request->service->sessions.count);
    put(text, "blocked_clients", request->service->waiters.count);
}

static void format_memory(uint64_t bytes, char *text, size_t size)
{
    static const char units[] = "BKMGT";
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && units[unit + 1]; ++unit)
        value /= 1024;
    snprintf(text, size, unit > 0 ? "%.2f%c" : "%.0f%c", value, units[unit]);
}

static void put_memory(struct buf *text, const char *name, uint64_t bytes)
{
    char human[32];
    format_memory(bytes, human, sizeof human);
    put(text, name, bytes);
    buf_printf(text, "%s_human:%s\r\n", name, human);
}

// "used" is what of the page is not free: that is what is at its end when keys are evicted.
static void write_memory(const struct request *request, struct buf *text)
{
    struct store_stats stats;
    store_stats(request->store, &stats);
    buf_append_text(text, "# Memory\r\n");
    put_memory(text, "used_memory", stats.used);
    put(text, "used_memory_dataset", stats.key_bytes);
    put_memory(text, "maxmemory", stats.memory);
    buf_append_text(text, "maxmemory_policy:allkeys-lfu\r\n");
}

// Only for clients that wait for the end of loading before they begin.
static void write_persistence(const struct request *request, struct buf *text)
{
    (void)request;
    buf_append_text(text, "# Persistence\r\nloading:0\r\nrdb_bgsave_in_progress:0\r\n"
                          "aof_enabled:0\r\n");
}

static void write_stats(const struct request *request, struct buf *text)
{
    const struct service *service = request->service;
    struct store_stats stats;
    store_stats(request->store, &stats);
    buf_append_text(text, "# Stats\r\n");
    put(text, "total_connections_received", service->connections);
    put(text, "total_commands_processed", service->commands);
    put(text, "instantaneous_ops_per_sec", service->commands_per_second);
    put(text, "total_net_input_bytes", service->bytes_in);
    put(text, "total_net_output_bytes", service->bytes_out);
    put(text, "rejected_connections", service->rejected);
    put(text, "expired_keys", stats.expired);
    put(text, "evicted_keys", stats.evicted);
    put(text, "keyspace_hits", stats.hits);
    put(text, "keyspace_misses", stats.misses);
    put(text, "total_error_replies", service->errors);
}

static void write_replication(const struct request *request, struct buf *text)
{
    (void)request;
    buf_append_text(text, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n");
}

static void write_cpu(const struct request *request, struct buf *text)
{
    struct rusage usage;
    (void)request;
    getrusage(RUSAGE_SELF, &usage);
    buf_printf(text, "# CPU\r\nused_cpu_sys:%lld.%06ld\r\nused_cpu_user:%lld.%06ld\r\n",
               (long long)usage.ru_stime.tv_sec, (long)usage.ru_stime.tv_usec,
               (long long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec);
}

// How many keys expire is not counted. The fields are there because clients parse them.
static void write_keyspace(const struct request *request, struct buf *text)
{
    struct store_stats stats;
    store_stats(request->store, &stats);
    buf_append_text(text, "# Keyspace\r\n");
    if (stats.keys > 0)
        buf_printf(text, "db0:keys=%llu,expires=0,avg_ttl=0\r\n", (unsigned long long)stats.keys);
}

static void write_redis(const struct request *request, struct buf *text)
{
    buf_append_text(text, "# Redis\r\n");
    if (request->service->mirror)
        mirror_info(request->service->mirror, text);
    else
        buf_append_text(text, "redis_link:none\r\n");
}

static const struct section {
    const char *name;
    void (*write)(const struct request *request, struct buf *text);
} sections[] = {
    {"server", write_server}, {"clients", write_clients},
    {"memory", write_memory}, {"persistence", write_persistence},
    {"stats", write_stats},   {"replication", write_replication},
    {"cpu", write_cpu},       {"keyspace", write_keyspace},
    {"redis", write_redis},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static bool is_asked(const struct request *request, const struct section *section)
{
    if (request->count == 1)
        return true;
    for (size_t i = 1; i < request->count; ++i) {
        const struct resp_arg *arg = &request->args[i];
        if (arg_is(arg, section->name) || arg_is(arg, "all") || arg_is(arg, "default") ||
            arg_is(arg, "everything"))
            return true;
    }
    return false;
}

void command_info(struct request *request)
{
    struct buf *text = &request->service->scratch;
    buf_consume(text, text->length);
    for (size_t i = 0; i < SECTIONS; ++i) {
        if (!is_asked(request, &sections[i]))
            continue;
        if (text->length > 0)
            buf_append_text(text, "\r\n");
        sections[i].write(request, text);
    }
    reply_bulk(request->out, text->data, text->length);
}
