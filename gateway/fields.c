// Which header fields may cross the gateway.
//
// Hop-by-hop, never forwarded: the ones RFC 9110 §7.6.1 lists (Connection, Proxy-Connection,
// Keep-Alive, TE, Transfer-Encoding, Upgrade), Trailer (trailers are dropped, so nothing may
// announce them), HTTP2-Settings (belongs to an upgrade), and the Proxy-Authenticate family: this
// is a gateway, so for its clients it is the origin and not their proxy; such fields are a mistake,
// and the credentials in them were not meant for the application.
//
// What Connection names is dropped too, but for FIELD_KEPT. RFC 9110 §7.6.1 forbids senders to name
// fields meant for the recipient; who does it anyway wants the application to see another request
// than we checked, authenticated and cached: "Connection: Authorization" would turn a private
// request into an anonymous one, "Connection: X-Forwarded-For" would hide the client.
//
// FIELD_OURS_UPSTREAM are the fields that request_head.c writes; a client's own would let it choose
// its address. `Proxy` becomes HTTP_PROXY in CGI-like applications, and those cannot tell '_' from
// '-' either, so the table's names match both spellings.
#include "fields.h"

#include "grammar.h"

enum field_flag {
    FIELD_HOP = 1,
    FIELD_KEPT = 2,          // naming it in Connection does not remove it
    FIELD_OURS_UPSTREAM = 4, // never taken from the client
    FIELD_OURS_DOWN = 8,     // libh2o writes it into every response
};

struct rule {
    const char *name;
    unsigned flags;
};

enum { RULES_LENGTHS = 26, RULES_PER_LENGTH = 3 };

// By the length of the name, so that one look tells most fields apart from all of these.
static const struct rule rules[RULES_LENGTHS][RULES_PER_LENGTH] = {
    [2] = {{"te", FIELD_HOP}},
    [4] = {{"host", FIELD_KEPT | FIELD_OURS_UPSTREAM},
           {"date", FIELD_KEPT | FIELD_OURS_DOWN},
           {"vary", FIELD_KEPT}},
    [5] = {{"proxy", FIELD_OURS_UPSTREAM}},
    [6] = {{"expect", FIELD_OURS_UPSTREAM}, {"cookie", FIELD_KEPT}},
    [7] = {{"upgrade", FIELD_HOP}, {"trailer", FIELD_HOP}},
    [9] = {{"forwarded", FIELD_KEPT | FIELD_OURS_UPSTREAM},
           {"x-real-ip", FIELD_KEPT | FIELD_OURS_UPSTREAM}},
    [10] = {{"connection", FIELD_HOP}, {"keep-alive", FIELD_HOP}, {"set-cookie", FIELD_KEPT}},
    [13] = {{"cache-control", FIELD_KEPT}, {"authorization", FIELD_KEPT}},
    [14] = {{"content-length", FIELD_KEPT | FIELD_OURS_UPSTREAM | FIELD_OURS_DOWN},
            {"http2-settings", FIELD_HOP}},
    [16] = {{"proxy-connection", FIELD_HOP}},
    [17] = {{"transfer-encoding", FIELD_HOP}},
    [18] = {{"proxy-authenticate", FIELD_HOP}},
    [19] = {{"proxy-authorization", FIELD_HOP}},
    [25] = {{"proxy-authentication-info", FIELD_HOP}},
};

static char fold(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte | 0x20);
    return byte == '_' ? '-' : byte;
}

// Do the first bytes of `name`, as many as `folded` has, read like it?
static bool reads_like(struct span name, const char *folded)
{
    for (size_t i = 0; folded[i] != '\0'; ++i)
        if (i == name.length || fold(name.bytes[i]) != folded[i])
            return false;
    return true;
}

static unsigned flags_of(struct span name)
{
    static const char forwarded[] = "x-forwarded-";
    if (name.length < RULES_LENGTHS) {
        const struct rule *rule = rules[name.length];
        for (size_t i = 0; i < RULES_PER_LENGTH && rule[i].name != NULL; ++i)
            if (reads_like(name, rule[i].name))
                return rule[i].flags;
    }
    if (name.length >= sizeof(forwarded) && reads_like(name, forwarded))
        return FIELD_KEPT | FIELD_OURS_UPSTREAM;
    return 0;
}

static bool are_same(struct span left, struct span right)
{
    if (left.length != right.length)
        return false;
    for (size_t i = 0; i < left.length; ++i)
        if (fold(left.bytes[i]) != fold(right.bytes[i]))
            return false;
    return true;
}

static bool is_named(struct span name, const struct connection_names *names)
{
    for (size_t i = 0; i < names->count; ++i)
        if (are_same(name, names->names[i]))
            return true;
    return false;
}

static void remember(struct connection_names *names, struct span name)
{
    if ((flags_of(name) & (FIELD_HOP | FIELD_KEPT)) != 0 || reads_like(name, "content-"))
        return;
    if (names->count == FIELDS_MAX_NAMED)
        names->overflow = true;
    else
        names->names[names->count++] = name;
}

void fields_read_connection(struct span value, struct connection_names *names,
                            struct connection_options *options)
{
    struct span element;
    while (grammar_next_element(&value, &element)) {
        bool close = grammar_equal(element, SPAN("close"));
        bool keep_alive = grammar_equal(element, SPAN("keep-alive"));
        if (options != NULL) {
            options->close = options->close || close;
            options->keep_alive = options->keep_alive || keep_alive;
        }
        if (names != NULL && !close && !keep_alive)
            remember(names, element);
    }
}

void fields_find_connection(const struct field *fields, size_t count,
                            struct connection_names *names, struct connection_options *options)
{
    static const struct span connection = {"connection", sizeof("connection") - 1};
    for (size_t i = 0; i < count; ++i)
        if (fields[i].name.length == connection.length && grammar_equal(fields[i].name, connection))
            fields_read_connection(fields[i].value, names, options);
}

static bool may_pass(struct span name, const struct connection_names *names, unsigned ours)
{
    return (flags_of(name) & (FIELD_HOP | ours)) == 0 &&
           (names->count == 0 || !is_named(name, names));
}

bool fields_forward_request(struct span name, const struct connection_names *names)
{
    return may_pass(name, names, FIELD_OURS_UPSTREAM);
}

bool fields_forward_response(struct span name, const struct connection_names *names)
{
    return may_pass(name, names, FIELD_OURS_DOWN);
}
