// A proxy on this machine makes everybody's requests come from here, so its fields count against
// the request, whatever they say. What a browser on this machine sends for a page from anywhere may
// not change anything: it says so with Origin. It does not when it takes us for the page's own
// server, because the name of that was made to resolve to 127.0.0.1 meanwhile (DNS rebinding); but
// then it says the name, in Host. So who comes from here is believed only when nobody else can have
// the name: a loopback address, or localhost, which browsers never ask the DNS for. The machine's
// own name is not among them: the DNS of whatever network it is in could be asked for that.
#include "monitoring_access.h"

#include <arpa/inet.h>
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
    static const char *const beginnings[] = {"forwarded",
                                             "x-forwarded",
                                             "x-real-ip",
                                             "x-client-ip",
                                             "client-ip",
                                             "x-original-",
                                             "x-originating-ip",
                                             "x-cluster-client-ip",
                                             "true-client-ip",
                                             "x-proxyuser-ip",
                                             "proxy-client-ip",
                                             "wl-proxy-",
                                             "x-remote-addr",
                                             "x-host",
                                             "x-scheme",
                                             "front-end-https",
                                             "x-nginx-proxy",
                                             "x-envoy-",
                                             "x-azure-",
                                             "x-amzn-",
                                             "x-appengine-",
                                             "akamai-",
                                             "cf-",
                                             "fastly-",
                                             "fly-",
                                             "cdn-loop"};
    if (name.length == strlen("via") && reads_like(name, "via"))
        return true;
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); ++i)
        if (reads_like(name, beginnings[i]))
            return true;
    return false;
}

// HTTP/1.0 with a Host is what nginx makes of a request that it passes on by "proxy_pass" alone: it
// adds no field, and its Host is our address.
static bool has_proxy(const struct monitoring_request *request)
{
    if (request->is_http_1_0 && request->host.length > 0)
        return true;
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

// --- by which name ------------------------------------------------------------------------------

static struct span without_port(struct span host)
{
    const char *end = memchr(host.bytes, *host.bytes == '[' ? ']' : ':', host.length);
    if (end == NULL)
        return host;
    return (struct span){host.bytes, (size_t)(end - host.bytes) + (*end == ']')};
}

static bool is_loopback_ipv6(const char *text)
{
    struct in6_addr address;
    if (inet_pton(AF_INET6, text, &address) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == IN_LOOPBACKNET);
}

static bool is_loopback_ipv4(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1 &&
           ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

// Not by how it begins: "127.example.com" is a name.
static bool is_loopback_literal(struct span name)
{
    char text[INET6_ADDRSTRLEN];
    bool is_ipv6 = *name.bytes == '[';
    if (is_ipv6)
        name = (struct span){name.bytes + 1, name.length - 2};
    if (name.length >= sizeof(text))
        return false;
    memcpy(text, name.bytes, name.length);
    text[name.length] = '\0';
    return is_ipv6 ? is_loopback_ipv6(text) : is_loopback_ipv4(text);
}

// "localhost" and all names below it (RFC 6761 §6.3), with or without the dot of the root.
static bool is_localhost(struct span name)
{
    static const size_t length = sizeof("localhost") - 1;
    if (name.bytes[name.length - 1] == '.')
        --name.length;
    if (name.length < length)
        return false;
    struct span end = {name.bytes + name.length - length, length};
    return grammar_equal(end, SPAN("localhost")) && (name.length == length || end.bytes[-1] == '.');
}

static bool is_for_this_machine(struct span host)
{
    if (host.length == 0) // no browser sends that
        return true;
    struct span name = without_port(host);
    return is_localhost(name) || is_loopback_literal(name);
}

// --- the decision -------------------------------------------------------------------------------

static bool may_from_here(const struct monitoring_request *request, bool has_token)
{
    if (!is_loopback(request->peer) || has_proxy(request))
        return false;
    return !is(request->path, RESET) || (!has_token && !is_of_a_page(request));
}

static enum monitoring_verdict decide_without_token(const struct monitoring_request *request,
                                                    bool has_token)
{
    if (!may_from_here(request, has_token))
        return has_token ? MONITORING_NEEDS_TOKEN : MONITORING_FORBIDDEN;
    return is_for_this_machine(request->host) ? MONITORING_ALLOWED : MONITORING_MISDIRECTED;
}

enum monitoring_verdict monitoring_decide(const char *token_sha256,
                                          const struct monitoring_request *request)
{
    bool has_token = token_sha256 != NULL;
    enum monitoring_verdict verdict = MONITORING_ALLOWED;
    if (!has_token || !monitoring_token_fits(token_sha256, request->fields, request->field_count))
        verdict = decide_without_token(request, has_token);
    if (verdict == MONITORING_ALLOWED && !is_known_method(request))
        verdict = MONITORING_NO_METHOD;
    return verdict;
}
