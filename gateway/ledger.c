// A logger of libh2o: it calls when a request is over and what is known of it is still there. That
// is after its last byte was written, or when the connection broke; a request whose answer had not
// begun by then was not answered.
//
// Invariant: an answer is written down once; what a client that has gone would have got is not.
#include "ledger.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "access_log.h"
#include "cached.h"
#include "clients.h"
#include "common/clock.h"
#include "common/gateway_config.h"
#include "endpoints.h"
#include "exchange.h"
#include "metrics.h"

struct logger {
    h2o_logger_t super;
    struct ledger *ledger;
};

// An answer, as it is logged and as it is counted.
struct entry {
    struct access_record record;
    enum metric_method method;
    size_t route;
    const h2o_req_t *req; // NULL: nothing was understood
};

static struct span span_of(h2o_iovec_t text)
{
    return (struct span){text.base, text.len};
}

// --- errors -------------------------------------------------------------------------------------

static void copy(char *field, size_t size, struct span text)
{
    if (text.length > 0)
        memcpy(field, text.bytes, text.length < size ? text.length : size);
}

// The same client gets the same hash, in all workers and as long as the page lives.
static void copy_hashed(char *field, struct span address, const uint8_t key[METRICS_KEY_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    enum { HASHED = 8 };
    unsigned char hash[EVP_MAX_MD_SIZE];
    if (address.length == 0 ||
        HMAC(EVP_sha256(), key, METRICS_KEY_SIZE, (const unsigned char *)address.bytes,
             address.length, hash, NULL) == NULL)
        return;
    for (size_t i = 0; i < HASHED; ++i) {
        *field++ = digits[hash[i] >> 4];
        *field++ = digits[hash[i] & 15];
    }
}

static void keep_error(struct ledger *ledger, const struct entry *entry)
{
    const struct access_record *record = &entry->record;
    struct metric_error error = {.wall_ms = record->wall_ms,
                                 .duration_us = record->duration_us,
                                 .status = (uint16_t)record->status,
                                 .method = (uint8_t)entry->method};
    copy(error.path, sizeof(error.path), record->path);
    copy(error.user_agent, sizeof(error.user_agent), record->user_agent);
    if (ledger->hashes_addresses)
        copy_hashed(error.ip, record->ip, ledger->metrics->key);
    else
        copy(error.ip, sizeof(error.ip), record->ip);
    metrics_writer_error(&ledger->metrics->writer,
                         record->status >= 500 ? ERRORS_SERVER : ERRORS_CLIENT, &error);
}

static struct span user_agent_of(const h2o_req_t *req)
{
    ssize_t at = req != NULL ? h2o_find_header(&req->headers, H2O_TOKEN_USER_AGENT, -1) : -1;
    return at == -1 ? SPAN("") : span_of(req->headers.entries[at].value);
}

// A look at one clock a second instead of at two for each request. (Unsigned numbers wrap round.)
static uint64_t wall_ms(struct ledger *ledger, uint64_t now_us)
{
    enum { SECOND_US = 1000000 };
    if (ledger->compared_us == 0 || now_us - ledger->compared_us >= SECOND_US) {
        ledger->wall_ahead_us = clock_wall_ms() * 1000 - now_us;
        ledger->compared_us = now_us;
    }
    return (now_us + ledger->wall_ahead_us) / 1000;
}

static void write_down(struct ledger *ledger, struct entry *entry, uint64_t now_us)
{
    struct access_record *record = &entry->record;
    struct metrics_request counts = {.route = entry->route,
                                     .method = entry->method,
                                     .status = record->status,
                                     .duration_us = record->duration_us,
                                     .bytes = record->bytes};
    metrics_count_request(ledger->metrics, &counts);
    record->wall_ms = wall_ms(ledger, now_us);
    record->route = metrics_route_text(ledger->metrics, entry->route);
    bool is_error = record->status >= 400;
    if (is_error || (ledger->log != NULL && access_log_shows_user_agents(ledger->log)))
        record->user_agent = user_agent_of(entry->req);
    if (is_error)
        keep_error(ledger, entry);
    if (ledger->log != NULL)
        access_log_add(ledger->log, record);
}

// --- requests -----------------------------------------------------------------------------------

static struct span text_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void add_exchange(struct entry *entry, const struct exchange *exchange, uint64_t now_us)
{
    struct access_record *record = &entry->record;
    entry->route = exchange->counted_as;
    record->duration_us = now_us - exchange->begun_us;
    record->endpoint = exchange->endpoint_text;
    // Who was answered by another's fetch did not go there.
    if (exchange->upstream != NULL && (exchange->tries > 0 || record->status >= 500))
        record->upstream = text_of(exchange->upstream->config->name);
    if (exchange->cached != NULL)
        record->cache = text_of(cached_word(exchange->cached));
}

// libh2o's own answers (own_errors.h) have no exchange, and took no time.
static void on_request_over(h2o_logger_t *self, h2o_req_t *req)
{
    struct ledger *ledger = H2O_STRUCT_FROM_MEMBER(struct logger, super, self)->ledger;
    struct client *client = client_of_request(req);
    const struct exchange *exchange = client->exchange;
    if (req->res.status == 0 || (exchange != NULL && exchange->is_uncounted))
        return;
    struct entry entry = {.record = {.method = span_of(req->input.method),
                                     .path = access_path(span_of(req->input.path)),
                                     .status = (unsigned)req->res.status,
                                     .bytes = req->bytes_sent,
                                     .ip = client_peer(client)},
                          .method = metric_method(req->input.method.base, req->input.method.len),
                          .route = METRICS_UNMATCHED,
                          .req = req};
    uint64_t now_us = clock_mono_us();
    if (exchange != NULL)
        add_exchange(&entry, exchange, now_us);
    write_down(ledger, &entry, now_us);
}

void ledger_note_timeout(struct ledger *ledger, struct span peer, uint64_t waited_us,
                         uint64_t bytes)
{
    struct entry entry = {
        .record = {.status = 408, .duration_us = waited_us, .bytes = bytes, .ip = peer},
        .method = METHOD_OTHER,
        .route = METRICS_UNMATCHED};
    write_down(ledger, &entry, clock_mono_us());
}

void ledger_install(h2o_pathconf_t *path, struct ledger *ledger)
{
    struct logger *logger = (struct logger *)h2o_create_logger(path, sizeof(*logger));
    logger->super.log_access = on_request_over;
    logger->ledger = ledger;
}
