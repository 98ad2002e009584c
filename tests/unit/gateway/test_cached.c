// A request's way through the cache. The test is the rest of the worker: it plays cachesvc, writes
// the page itself, and stands in for exchange.c, so that it sees what becomes of each request.

#include <stdlib.h>

#include "cached.h"
#include "common/cache_config.h"
#include "common/clock.h"
#include "common/gateway_config.h"
#include "common/state_page.h"
#include "exchange.h"
#include "fake_cachesvc.h"
#include "lookup.h"
#include "page_test.h"
#include "purge_mark.h"
#include "request_check.h"
#include "response.h"
#include "server.h"
#include "stored.h"
#include "vary.h"

enum { LONG_MS = 60000, NONCE = 7 };

static struct server server;
static struct state_column column;
static const struct gateway_config no_routes;
static struct route_config route;
static struct cache_config config;

// --- exchange.c ---------------------------------------------------------------------------------

struct asker {
    h2o_req_t req;
    struct exchange exchange;
    bool is_waiting, is_gone;
    unsigned fetches;
    int status; // of the answer that was stored; 0: none was given
    char body[64], cache_word[16];
};

static struct asker asker, other;

static struct asker *asker_of(struct exchange *exchange)
{
    return exchange == &asker.exchange ? &asker : &other;
}

static void leave(struct asker *who)
{
    if (who->is_gone)
        return;
    who->is_gone = true;
    cached_dispose(who->exchange.cached);
    h2o_mem_clear_pool(&who->req.pool);
}

void exchange_fetch(struct exchange *exchange)
{
    asker_of(exchange)->fetches++;
}

void exchange_wait_for_cache(struct exchange *exchange, int64_t wait_ms)
{
    ck_assert_int_eq(wait_ms, config.wait_ms);
    asker_of(exchange)->is_waiting = true;
}

static void copy_text(char *text, size_t size, const char *bytes, size_t length)
{
    snprintf(text, size, "%.*s", (int)length, bytes);
}

static void copy_cache_word(struct asker *who)
{
    ssize_t at = h2o_find_header_by_str(&who->req.res.headers, "X-Cache", 7, -1);
    ck_assert_int_ne(at, -1);
    h2o_iovec_t value = who->req.res.headers.entries[at].value;
    copy_text(who->cache_word, sizeof who->cache_word, value.base, value.len);
}

// As libh2o does it: the answer ends the request.
void exchange_reply_stored(struct exchange *exchange, int status, struct span reason,
                           struct span body)
{
    struct asker *who = asker_of(exchange);
    (void)reason;
    ck_assert_int_eq(who->status, 0);
    who->status = status;
    copy_text(who->body, sizeof who->body, body.bytes, body.length);
    copy_cache_word(who);
    leave(who);
}

// --- the page -----------------------------------------------------------------------------------

static const struct field german = {SPAN("Accept-Language"), SPAN("de")};
static const struct field vary_field = {SPAN("Vary"), SPAN("Accept-Language")};
static struct request_facts facts;
static struct buf key, variant_key;

static void put(const struct buf *under, struct buf *blob)
{
    page_test_put(under->data, under->length, blob->data, blob->length);
    buf_free(blob);
}

static void put_answer(const struct buf *under, const char *body, uint64_t age_ms)
{
    static const struct connection_names none = {.count = 0};
    struct stored_source source = {.stored_at_ms = clock_wall_ms() - age_ms,
                                   .ttl_ms = (uint64_t)config.ttl_ms,
                                   .status = 200,
                                   .connection = &none};
    struct buf blob = BUF_INIT;
    ck_assert_int_eq(stored_begin(&blob, &source), 0);
    buf_append(&blob, body, strlen(body));
    stored_finish(&blob);
    put(under, &blob);
}

static void put_pass(void)
{
    struct buf blob = BUF_INIT;
    stored_write_pass(&blob, 0, clock_wall_ms());
    put(&key, &blob);
}

static void put_mark(void)
{
    struct buf blob = BUF_INIT;
    struct vary vary;
    ck_assert(vary_read(&vary_field, 1, &vary));
    stored_write_vary(&blob, &vary, NONCE, clock_wall_ms());
    put(&key, &blob);
}

static void write_keys(void)
{
    struct vary vary;
    ck_assert(vary_read(&vary_field, 1, &vary));
    cached_write_key(&config, &facts, facts.path, &key);
    struct lookup lookup = {
        .key = {key.data, key.length}, .fields = facts.fields, .field_count = facts.field_count};
    lookup_write_variant_key(&lookup, &vary, NONCE, &variant_key);
}

// --- life ---------------------------------------------------------------------------------------

static bool is_ready(void *context)
{
    static const struct span words[] = {SPAN("ECHO")};
    (void)context;
    return server.cache.segment.base != NULL && cache_link_tell(server.cache.slow_link, words, 1);
}

static void open_cache(void)
{
    cache_init(&server.cache, &test_loop);
    server.cache.reply_ms = LONG_MS; // whatever else the machine does
    cache_open(&server.cache, &test_loop, test_page.fd, fake.path);
    fake.reply = ":0\r\n";
    loop_test_wait(is_ready, NULL);
    fake_wait(1);
    fake.commands = 0;
    fake.names.length = 0;
    fake.reply = NULL;
}

static void open_asker(struct asker *who)
{
    memset(who, 0, sizeof *who);
    h2o_mem_init_pool(&who->req.pool);
    who->exchange = (struct exchange){.req = &who->req, .server = &server, .route = &route};
}

static void set_up(void)
{
    loop_test_open();
    fake_prepare();
    fake_listen();
    page_test_open();
    memset(&column, 0, sizeof column);
    server.loop = &test_loop;
    server.column = &column;
    metrics_init(&server.metrics, &no_routes, NULL, 0);
    config = (struct cache_config){.ttl_ms = LONG_MS,
                                   .keep_stale_ms = LONG_MS,
                                   .hit_for_miss_ms = LONG_MS,
                                   .max_size_bytes = 1000,
                                   .wait_ms = LONG_MS};
    facts = (struct request_facts){.method = SPAN("GET"), .path = SPAN("/a"), .field_count = 1};
    facts.fields[0] = german;
    write_keys();
    open_cache();
    open_asker(&asker);
    open_asker(&other);
}

static void tear_down(void)
{
    fake.answers = NULL; // nobody listens any more
    fake.reply = NULL;
    leave(&asker);
    leave(&other);
    cache_close(&server.cache);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    cache_fini(&server.cache, &test_loop);
    buf_free(&key);
    buf_free(&variant_key);
    metrics_fini(&server.metrics);
    page_test_close();
    fake_close();
    loop_test_close();
}

// --- what happens -------------------------------------------------------------------------------

// A request comes; as proxy.c does it.
static void ask(struct asker *who)
{
    who->exchange.cached = cached_new(&who->exchange, &config, &facts, facts.path);
    if (!cached_answer(who->exchange.cached) && !cached_wait(who->exchange.cached))
        exchange_fetch(&who->exchange);
}

static bool has_ended(void *context)
{
    const struct asker *who = context;
    return who->fetches > 0 || who->is_gone;
}

static void wait_fetch(struct asker *who)
{
    loop_test_wait(has_ended, who);
    ck_assert_uint_eq(who->fetches, 1);
    ck_assert_int_eq(who->status, 0);
}

static void wait_answer(struct asker *who, const char *cache_word, const char *body)
{
    loop_test_wait(has_ended, who);
    ck_assert_uint_eq(who->fetches, 0);
    ck_assert_int_eq(who->status, 200);
    ck_assert_str_eq(who->cache_word, cache_word);
    ck_assert_str_eq(who->body, body);
}

// The upstream answers, whole.
static void answer(struct asker *who, const struct field *field, const char *body)
{
    struct response_head head = {
        .status = 200, .content_length = strlen(body), .field_count = field == NULL ? 0 : 1};
    if (field != NULL)
        head.fields[0] = *field;
    cached_on_head(who->exchange.cached, &head);
    cached_on_body(who->exchange.cached, body, strlen(body));
    cached_on_complete(who->exchange.cached);
}

static bool has_heard(void *names)
{
    return fake.names.length >= strlen(names);
}

// What cachesvc was told, and nothing else.
static void check_commands(const char *names)
{
    loop_test_wait(has_heard, (void *)names);
    ck_assert_str_eq(buf_text(&fake.names), names);
}

static bool is_command(const redisReply *command, const char *name, const struct buf *about)
{
    return strcmp(command->element[0]->str, name) == 0 &&
           (about == NULL || (command->element[1]->len == about->length &&
                              memcmp(command->element[1]->str, about->data, about->length) == 0));
}

// Of all requests that are over.
static void check_counts(unsigned hits, unsigned misses, unsigned stale, unsigned bypass)
{
    const unsigned wanted[CACHE_COUNT] = {
        [CACHE_HIT] = hits, [CACHE_MISS] = misses, [CACHE_STALE] = stale, [CACHE_BYPASS] = bypass};
    for (unsigned i = 0; i < CACHE_COUNT; ++i)
        ck_assert_msg(metrics_column_sum_of(server.metrics.own, METRIC_CACHE, i) == wanted[i], "%s",
                      metric_cache_name(i));
}

// --- without Redis ------------------------------------------------------------------------------

START_TEST(what_is_stored_is_answered_at_once)
{
    put_answer(&key, "stored", 0);
    ask(&asker);
    wait_answer(&asker, "HIT", "stored");
    check_counts(1, 0, 0, 0);
    ck_assert_uint_eq(column.touch_count, 1);
    ck_assert_uint_eq(fake.commands, 0);
}
END_TEST

START_TEST(one_fetches_and_stores_for_both)
{
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    ck_assert(other.is_waiting && !has_ended(&other));
    answer(&asker, NULL, "fetched");
    ck_assert(!has_ended(&other)); // not before it is stored
    put_answer(&key, "fetched", 0);
    leave(&asker);
    wait_answer(&other, "HIT", "fetched");
    check_commands("CACHE.LOCK CACHE.SET CACHE.UNLOCK");
    check_counts(0, 2, 0, 0);
}
END_TEST

START_TEST(what_the_other_does_not_find_it_fetches_alone)
{
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    answer(&asker, NULL, "fetched");
    wait_fetch(&other);
    answer(&other, NULL, "again");
    check_commands("CACHE.LOCK CACHE.SET CACHE.UNLOCK");
}
END_TEST

START_TEST(a_leader_that_leaves_is_replaced)
{
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    leave(&asker);
    wait_fetch(&other);
    answer(&other, NULL, "fetched");
    check_commands("CACHE.LOCK CACHE.UNLOCK CACHE.LOCK CACHE.SET CACHE.UNLOCK");
}
END_TEST

START_TEST(who_leaves_the_queue_hears_nothing)
{
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    leave(&other);
    leave(&asker);
    check_commands("CACHE.LOCK CACHE.UNLOCK");
    ck_assert_uint_eq(other.fetches, 0);
}
END_TEST

START_TEST(what_may_not_be_stored_makes_nobody_wait)
{
    static const struct field private = {SPAN("Cache-Control"), SPAN("private")};
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    answer(&asker, &private, "secret");
    wait_fetch(&other);
    check_commands("CACHE.LOCK CACHE.SET CACHE.UNLOCK"); // the mark
}
END_TEST

START_TEST(who_finds_the_mark_with_the_lock_goes_alone)
{
    fake.reply = NULL;
    ask(&asker);
    ask(&other);
    fake_wait(1);
    put_pass();
    fake_say(":1\r\n");
    wait_fetch(&asker);
    wait_fetch(&other);
    answer(&asker, NULL, "fetched");
    check_commands("CACHE.LOCK CACHE.UNLOCK");
}
END_TEST

START_TEST(what_was_purged_meanwhile_is_not_stored)
{
    char mark[] = "99999999999999";
    fake.reply = ":1\r\n";
    ask(&asker);
    wait_fetch(&asker);
    // The mark's key is purge_mark.c's: what it sends is put under it.
    purge_mark_send(&server.cache, (struct span){key.data, key.length}, 1);
    fake_wait(2);
    char *mark_key = strchr(buf_text(&fake.last), ' ') + 1;
    page_test_put(mark_key, strcspn(mark_key, " "), mark, strlen(mark));
    answer(&asker, NULL, "old");
    check_commands("CACHE.LOCK CACHE.SET CACHE.UNLOCK"); // the only one is purge_mark_send's
}
END_TEST

START_TEST(what_is_stale_is_given_when_the_fetch_fails)
{
    fake.reply = ":1\r\n";
    put_answer(&key, "old", LONG_MS + 1);
    ask(&asker);
    wait_fetch(&asker);
    asker.fetches = 0;
    ck_assert(cached_answer_stale(asker.exchange.cached));
    wait_answer(&asker, "STALE", "old");
    check_counts(0, 0, 1, 0);
    check_commands("CACHE.LOCK CACHE.UNLOCK");
}
END_TEST

START_TEST(without_an_old_one_the_failure_lets_the_other_go)
{
    fake.reply = ":1\r\n";
    ask(&asker);
    ask(&other);
    wait_fetch(&asker);
    ck_assert(!cached_answer_stale(asker.exchange.cached));
    wait_fetch(&other);
}
END_TEST

// --- with Redis ---------------------------------------------------------------------------------

static const char *lock_only(const redisReply *command)
{
    return is_command(command, "EXISTS", NULL) ? NULL : ":1\r\n";
}

static const char *lock_and_none(const redisReply *command)
{
    return is_command(command, "EXISTS", NULL) ? ":0\r\n" : ":1\r\n";
}

static const char *lock_and_answer(const redisReply *command)
{
    if (is_command(command, "EXISTS", &key))
        put_answer(&key, "of another machine", 0);
    return ":1\r\n";
}

static const char *lock_and_pass(const redisReply *command)
{
    if (is_command(command, "EXISTS", &key))
        put_pass();
    return ":1\r\n";
}

static const char *lock_and_variant(const redisReply *command)
{
    if (is_command(command, "EXISTS", &key))
        put_mark();
    if (is_command(command, "EXISTS", &variant_key))
        put_answer(&variant_key, "deutsch", 0);
    return ":1\r\n";
}

static const char *lock_and_mark(const redisReply *command)
{
    if (is_command(command, "EXISTS", &key))
        put_mark();
    return is_command(command, "EXISTS", &variant_key) ? ":0\r\n" : ":1\r\n";
}

static void ask_with_redis(const char *(*answers)(const redisReply *command))
{
    test_page.header->redis_wait_ms = LONG_MS;
    fake.answers = answers;
    ask(&asker);
    ask(&other);
}

START_TEST(what_is_in_redis_is_answered_to_both)
{
    ask_with_redis(lock_and_answer);
    wait_answer(&asker, "HIT", "of another machine");
    wait_answer(&other, "HIT", "of another machine");
    check_commands("CACHE.LOCK EXISTS CACHE.UNLOCK");
}
END_TEST

START_TEST(so_is_a_variant_of_it)
{
    ask_with_redis(lock_and_variant);
    wait_answer(&asker, "HIT", "deutsch");
    wait_answer(&other, "HIT", "deutsch");
    check_commands("CACHE.LOCK EXISTS EXISTS CACHE.UNLOCK");
}
END_TEST

START_TEST(a_variant_whose_mark_is_here_is_asked_for_at_once)
{
    put_mark();
    ask_with_redis(lock_and_variant);
    wait_answer(&asker, "HIT", "deutsch");
    check_commands("CACHE.LOCK EXISTS CACHE.UNLOCK");
}
END_TEST

static const struct {
    const char *(*answers)(const redisReply *command);
    const struct field *field;
    const char *commands;
} fetched[] = {
    {lock_and_none, NULL, "CACHE.LOCK EXISTS CACHE.SET CACHE.UNLOCK"},
    {lock_and_mark, &vary_field, "CACHE.LOCK EXISTS EXISTS CACHE.SET CACHE.SET CACHE.UNLOCK"},
};

START_TEST(what_is_not_in_redis_is_fetched_and_stored)
{
    ask_with_redis(fetched[_i].answers);
    wait_fetch(&asker);
    ck_assert(!has_ended(&other));
    answer(&asker, fetched[_i].field, "fetched");
    check_commands(fetched[_i].commands);
}
END_TEST

START_TEST(a_mark_in_redis_makes_nobody_wait_either)
{
    ask_with_redis(lock_and_pass);
    wait_fetch(&asker);
    wait_fetch(&other);
    answer(&asker, NULL, "fetched");
    check_commands("CACHE.LOCK EXISTS CACHE.UNLOCK");
}
END_TEST

START_TEST(what_is_stale_here_is_not_asked_for)
{
    put_answer(&key, "old", LONG_MS + 1);
    ask_with_redis(lock_only);
    wait_fetch(&asker);
    check_commands("CACHE.LOCK");
}
END_TEST

START_TEST(who_leaves_while_it_asks_is_replaced)
{
    ask_with_redis(lock_only);
    check_commands("CACHE.LOCK EXISTS");
    fake.answers = lock_and_answer;
    leave(&asker);
    fake_say(":1\r\n"); // to the question of who has left
    wait_answer(&other, "HIT", "of another machine");
    check_commands("CACHE.LOCK EXISTS CACHE.UNLOCK CACHE.LOCK EXISTS CACHE.UNLOCK");
    ck_assert_uint_eq(asker.fetches, 0);
}
END_TEST

START_TEST(who_asks_for_too_long_goes_alone)
{
    ask_with_redis(lock_only);
    check_commands("CACHE.LOCK EXISTS");
    cached_go_alone(asker.exchange.cached);
    wait_fetch(&asker);
    wait_fetch(&other); // there was nothing when the flight landed
    fake_say(":1\r\n");
    answer(&asker, NULL, "fetched");
    check_commands("CACHE.LOCK EXISTS CACHE.UNLOCK");
    ck_assert_uint_eq(asker.fetches, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cached");
    TCase *tests = tcase_create("cached");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_stored_is_answered_at_once);
    tcase_add_test(tests, one_fetches_and_stores_for_both);
    tcase_add_test(tests, what_the_other_does_not_find_it_fetches_alone);
    tcase_add_test(tests, a_leader_that_leaves_is_replaced);
    tcase_add_test(tests, who_leaves_the_queue_hears_nothing);
    tcase_add_test(tests, what_may_not_be_stored_makes_nobody_wait);
    tcase_add_test(tests, who_finds_the_mark_with_the_lock_goes_alone);
    tcase_add_test(tests, what_was_purged_meanwhile_is_not_stored);
    tcase_add_test(tests, what_is_stale_is_given_when_the_fetch_fails);
    tcase_add_test(tests, without_an_old_one_the_failure_lets_the_other_go);
    tcase_add_test(tests, what_is_in_redis_is_answered_to_both);
    tcase_add_test(tests, so_is_a_variant_of_it);
    tcase_add_test(tests, a_variant_whose_mark_is_here_is_asked_for_at_once);
    tcase_add_loop_test(tests, what_is_not_in_redis_is_fetched_and_stored, 0,
                        sizeof fetched / sizeof fetched[0]);
    tcase_add_test(tests, a_mark_in_redis_makes_nobody_wait_either);
    tcase_add_test(tests, what_is_stale_here_is_not_asked_for);
    tcase_add_test(tests, who_leaves_while_it_asks_is_replaced);
    tcase_add_test(tests, who_asks_for_too_long_goes_alone);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
