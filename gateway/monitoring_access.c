// A proxy on this machine makes everybody's requests come from here, so its fields count against
// the request, whatever they say. What a browser on this machine sends for a page from anywhere may
// not change anything: it says so with Origin.
#include "monitoring_access.h"

#include <string.h>

#include "grammar.h"
#include "monitoring_token.h"

#define PREFIX "/api/monitoring"
#define RESET PREFIX "/reset"

static bool is(struct span text, const char *literal)
{
    return text.length == strlen(literal) && memcmp(text.bytes, literal, text.length) == 0;
}

static bool begins(struct span text, const char *literal)
{
    size_t length = strlen(literal);
    return text.length >= length && memcmp(text.bytes, literal, length) == 0;
}

bool monitoring_is_path(struct span path)
{
    return is(path, PREFIX) || begins(path, PREFIX "/");
}

struct span monitoring_methods(struct span path)
{
    return is(path, RESET) ? SPAN("POST") : SPAN("GET, HEAD");
}

static bool is_known_method(const struct monitoring_request *request)
{
    if (is(request->path, RESET))
        return is(request->method, "POST");
    return is(request->method, "GET") || is(request->method, "HEAD");
}

// --- who comes from here ------------------------------------------------------------------------

static bool is_loopback(struct span peer)
{
    return begins(peer, "127.") || is(peer, "::1");
}

static char fold(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte | 0x20);
    return byte == '_' ? '-' : byte;
}

// Does the name begin so? With '_' for '-' too, which CGI-like programs cannot tell apart.
static bool reads_like(struct span name, const char *beginning)
{
    size_t i = 0;
    while (i < name.length && beginning[i] != '\0' && fold(name.bytes[i]) == beginning[i])
        ++i;
    return beginning[i] == '\0';
}

static bool is_proxys(struct span name)
{
    static const char *const beginnings[] = {"forwarded",      "x-forwarded",
                                             "x-real-ip",      "x-client-ip",
                                             "x-original-",    "x-cluster-client-ip",
                                             "x-envoy-",       "cf-",
                                             "true-client-ip", "fastly-",
                                             "fly-",           "x-azure-",
                                             "cdn-loop",       "x-proxyuser-ip",
                                             "x-amzn-",        "x-appengine-",
                                             "akamai-"};
    if (name.length == strlen("via") && reads_like(name, "via"))
        return true;
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); ++i)
        if (reads_like(name, beginnings[i]))
            return true;
    return false;
}

static bool has_proxy(const struct monitoring_request *request)
{
    for (size_t i = 0; i < request->field_count; ++i)
        if (is_proxys(request->fields[i].name))
            return true;
    return false;
}

static bool is_of_a_page(const struct monitoring_request *request)
{
    for (size_t i = 0; i < request->field_count; ++i)
        if (grammar_equal(request->fields[i].name, SPAN("origin")))
            return true;
    return false;
}

// --- the decision -------------------------------------------------------------------------------

static bool may_without_token(const struct monitoring_request *request, bool has_token)
{
    if (!is_loopback(request->peer) || has_proxy(request))
        return false;
    return !is(request->path, RESET) || (!has_token && !is_of_a_page(request));
}

enum monitoring_verdict monitoring_decide(const char *token_sha256,
                                          const struct monitoring_request *request)
{
    bool has_token = token_sha256 != NULL;
    if (!(has_token &&
          monitoring_token_fits(token_sha256, request->fields, request->field_count)) &&
        !may_without_token(request, has_token))
        return has_token ? MONITORING_NEEDS_TOKEN : MONITORING_FORBIDDEN;
    return is_known_method(request) ? MONITORING_ALLOWED : MONITORING_NO_METHOD;
}
