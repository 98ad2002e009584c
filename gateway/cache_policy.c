// The rules of mode ttl.
//
// The ttl is the configuration's; the origin can only forbid, by a veto. Vetoes stand against
// handing one client's answer to another, so in doubt something is one.
#include "cache_policy.h"

#include <string.h>

#include "cache_control.h"
#include "common/cache_config.h"
#include "common/match_config.h"
#include "grammar.h"
#include "match.h"
#include "response.h"
#include "vary.h"

static const char *const reason_texts[] = {
    [CACHE_MAY] = "nothing",
    [CACHE_METHOD] = "the method is neither GET nor HEAD",
    [CACHE_HEAD] = "the answer to HEAD has no body",
    [CACHE_SKIPPED] = "a condition of skip holds",
    [CACHE_HAS_BODY] = "the request has a body",
    [CACHE_RANGE] = "a part is asked for",
    [CACHE_AUTHORIZATION] = "the request has an Authorization field",
    [CACHE_STATUS] = "the status is not 2xx, or 206",
    [CACHE_NO_STORE] = "Cache-Control: no-store",
    [CACHE_PRIVATE] = "Cache-Control: private",
    [CACHE_SET_COOKIE] = "Set-Cookie",
    [CACHE_VARY_ALL] = "Vary names everything, or too much",
    [CACHE_TOO_LARGE] = "the body is larger than max_size",
    [CACHE_INCOMPLETE] = "the body did not come whole",
};

const char *cache_reason_text(enum cache_reason reason)
{
    return reason_texts[reason];
}

static bool has_field(const struct field *fields, size_t count, struct span name)
{
    for (size_t i = 0; i < count; ++i)
        if (grammar_equal(fields[i].name, name))
            return true;
    return false;
}

static bool is_ignored(const struct cache_config *config, enum cache_veto veto)
{
    return (config->ignore & veto) != 0;
}

// --- requests -----------------------------------------------------------------------------------

static bool method_is(const struct match_subject *subject, struct span method)
{
    return subject->method.length == method.length &&
           memcmp(subject->method.bytes, method.bytes, method.length) == 0;
}

// An answer that was stored for nobody in particular is not given to who says who they are: they
// may be shown more.
static bool has_credentials(const struct cache_config *config, const struct match_subject *subject)
{
    return !is_ignored(config, CACHE_VETO_AUTHORIZATION) &&
           has_field(subject->fields, subject->field_count, SPAN("authorization"));
}

// CACHE_MAY, or why the cache has nothing to do with the request.
static enum cache_reason find_bypass(const struct cache_config *config,
                                     const struct match_subject *subject, bool has_body)
{
    if (!method_is(subject, SPAN("GET")) && !method_is(subject, SPAN("HEAD")))
        return CACHE_METHOD;
    if (has_body)
        return CACHE_HAS_BODY;
    if (match_any(config->skip.items, config->skip.count, subject))
        return CACHE_SKIPPED;
    if (has_credentials(config, subject))
        return CACHE_AUTHORIZATION;
    if (has_field(subject->fields, subject->field_count, SPAN("range")))
        return CACHE_RANGE;
    return CACHE_MAY;
}

struct cache_decision cache_policy_request(const struct cache_config *config,
                                           const struct match_subject *subject, bool has_body)
{
    struct cache_decision decision = {.reason = find_bypass(config, subject, has_body)};
    decision.may_look_up = decision.reason == CACHE_MAY;
    if (decision.may_look_up && method_is(subject, SPAN("HEAD")))
        decision.reason = CACHE_HEAD;
    decision.may_store = decision.reason == CACHE_MAY;
    return decision;
}

// --- answers ------------------------------------------------------------------------------------

static bool has_directive(const struct field *fields, size_t count, struct span name)
{
    struct cache_directive directive;
    for (size_t i = 0; i < count; ++i) {
        struct span rest = fields[i].value;
        if (!grammar_equal(fields[i].name, SPAN("cache-control")))
            continue;
        while (cache_control_next(&rest, &directive))
            if (grammar_equal(directive.name, name))
                return true;
    }
    return false;
}

enum cache_reason cache_policy_response(const struct cache_config *config, int status,
                                        const struct field *fields, size_t count,
                                        uint64_t content_length)
{
    struct vary vary;
    if (status < 200 || status > 299 || status == 206)
        return CACHE_STATUS;
    if (!is_ignored(config, CACHE_VETO_NO_STORE) && has_directive(fields, count, SPAN("no-store")))
        return CACHE_NO_STORE;
    if (!is_ignored(config, CACHE_VETO_PRIVATE) && has_directive(fields, count, SPAN("private")))
        return CACHE_PRIVATE;
    if (!is_ignored(config, CACHE_VETO_SET_COOKIE) && has_field(fields, count, SPAN("set-cookie")))
        return CACHE_SET_COOKIE;
    if (!vary_read(fields, count, &vary))
        return CACHE_VARY_ALL;
    if (content_length != RESPONSE_LENGTH_UNKNOWN)
        return cache_policy_body(config, content_length, true);
    return CACHE_MAY;
}

enum cache_reason cache_policy_body(const struct cache_config *config, uint64_t length,
                                    bool is_complete)
{
    if (length > (uint64_t)config->max_size_bytes)
        return CACHE_TOO_LARGE;
    return is_complete ? CACHE_MAY : CACHE_INCOMPLETE;
}

// --- time ---------------------------------------------------------------------------------------

static uint64_t elapsed_ms(uint64_t since_ms, uint64_t now_ms)
{
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

enum cache_freshness cache_policy_freshness(uint64_t stored_at_ms, uint64_t ttl_ms,
                                            uint64_t keep_stale_ms, uint64_t now_ms)
{
    uint64_t elapsed = elapsed_ms(stored_at_ms, now_ms);
    if (elapsed < ttl_ms)
        return FRESHNESS_FRESH;
    return elapsed - ttl_ms < keep_stale_ms ? FRESHNESS_STALE : FRESHNESS_EXPIRED;
}

static bool is_digits(struct span text)
{
    const char *end = text.bytes + text.length;
    return text.length > 0 && grammar_skip(text.bytes, end, GRAMMAR_DIGIT) == end;
}

// RFC 9111 §5.1: the first member of the first line counts, digits only. A number that is too large
// for us is an age all the same.
uint32_t cache_policy_initial_age(const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        struct span rest = fields[i].value, member;
        uint64_t age;
        if (!grammar_equal(fields[i].name, SPAN("age")))
            continue;
        if (!grammar_next_element(&rest, &member) || !is_digits(member))
            return 0;
        return grammar_decimal(member, &age) && age < CACHE_AGE_MAX ? (uint32_t)age : CACHE_AGE_MAX;
    }
    return 0;
}

uint32_t cache_policy_age(uint32_t initial_age_s, uint64_t stored_at_ms, uint64_t now_ms)
{
    uint64_t age = initial_age_s + elapsed_ms(stored_at_ms, now_ms) / 1000;
    return age < CACHE_AGE_MAX ? (uint32_t)age : CACHE_AGE_MAX;
}
