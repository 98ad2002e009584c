// Writes keys of the cache.
//
// Invariant: each part says where it ends, since '|' within it is escaped, and absent, empty and
// present differ. So a key can be read back to what went into it, and two requests that differ in
// one of these things have two keys. What is hashed is the exception.
//
// Lines of a field stay apart, as "|h:a=1|h:a=2": applications do not agree about what two lines
// mean together. Only the Accept fields, which are lists to everybody, are joined.
#include "cache_key.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/cache_config.h"
#include "common/mem.h"
#include "common/segment.h"
#include "grammar.h"
#include "params.h"
#include "vary.h"

enum {
    KEY_HASH_BYTES = 16,
    KEY_READABLE = 256, // of a key that is too long
};

// --- pieces -------------------------------------------------------------------------------------

static struct span text_span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void put_hex(struct buf *key, const unsigned char *bytes)
{
    for (size_t i = 0; i < KEY_HASH_BYTES; ++i)
        buf_printf(key, "%02x", bytes[i]);
}

static bool is_special(char byte)
{
    return byte == '|' || byte == '\\';
}

static void put_escaped(struct buf *key, struct span text)
{
    size_t from = 0;
    if (text.length == 0)
        return;
    for (size_t at = 0; at < text.length; ++at) {
        if (!is_special(text.bytes[at]))
            continue;
        buf_append(key, text.bytes + from, at - from);
        buf_append(key, "\\", 1);
        from = at;
    }
    buf_append(key, text.bytes + from, text.length - from);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static void put_lower(struct buf *key, struct span text)
{
    size_t from = key->length;
    put_escaped(key, text);
    for (size_t at = from; at < key->length; ++at)
        key->data[at] = lower(key->data[at]);
}

// "|h:name"; in lower case when it is a field's.
static void put_name(struct buf *key, char kind, struct span name)
{
    const char start[] = {'|', kind, ':'};
    buf_append(key, start, sizeof(start));
    if (kind == 'c')
        put_escaped(key, name);
    else
        put_lower(key, name);
}

static bool are_same_names(struct span left, struct span right)
{
    if (left.length != right.length)
        return false;
    for (size_t i = 0; i < left.length; ++i)
        if (lower(left.bytes[i]) != lower(right.bytes[i]))
            return false;
    return true;
}

// --- credentials --------------------------------------------------------------------------------

// A hash of all lines of the field, from which nobody gets back, and to which nobody finds other
// credentials. Returns false, having written nothing, when there are none.
static bool put_hash(struct buf *key, const char *before, struct span name,
                     const struct field *fields, size_t count)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct buf lines = BUF_INIT;
    for (size_t i = 0; i < count; ++i) {
        if (!are_same_names(fields[i].name, name))
            continue;
        buf_append(&lines, fields[i].value.bytes, fields[i].value.length);
        buf_append(&lines, "\n", 1);
    }
    bool is_there = lines.length > 0;
    if (is_there) {
        SHA256((const unsigned char *)lines.data, lines.length, hash);
        buf_append_text(key, before);
        buf_append_text(key, "\\#");
        put_hex(key, hash);
    }
    buf_free(&lines);
    return is_there;
}

static bool is_secret(struct span name)
{
    return are_same_names(name, SPAN("authorization")) || are_same_names(name, SPAN("cookie"));
}

static void put_user(struct buf *key, const struct cache_key_request *request)
{
    buf_append_text(key, "|u");
    if (request->user.length > 0) {
        buf_append(key, ":", 1);
        put_escaped(key, request->user);
    } else {
        (void)put_hash(key, ":", SPAN("authorization"), request->fields, request->field_count);
    }
}

// --- fields and cookies -------------------------------------------------------------------------

static void put_field(struct buf *key, char kind, struct span name, const struct field *fields,
                      size_t count)
{
    bool is_there = false;
    if (is_secret(name)) {
        put_name(key, kind, name);
        (void)put_hash(key, "=", name, fields, count);
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        if (!are_same_names(fields[i].name, name))
            continue;
        put_name(key, kind, name);
        buf_append(key, "=", 1);
        put_escaped(key, fields[i].value);
        is_there = true;
    }
    if (!is_there)
        put_name(key, kind, name);
}

static bool put_cookies_of(struct buf *key, struct span name, struct span rest)
{
    bool is_there = false;
    struct param cookie;
    while (params_next_cookie(&rest, &cookie)) {
        if (cookie.name.length != name.length ||
            memcmp(cookie.name.bytes, name.bytes, name.length) != 0)
            continue;
        put_name(key, 'c', name);
        buf_append_text(key, cookie.has_value ? "=" : "\\-");
        put_escaped(key, cookie.value);
        is_there = true;
    }
    return is_there;
}

static void put_cookie(struct buf *key, struct span name, const struct cache_key_request *request)
{
    bool is_there = false;
    for (size_t i = 0; i < request->field_count; ++i)
        if (grammar_equal(request->fields[i].name, SPAN("cookie")))
            is_there = put_cookies_of(key, name, request->fields[i].value) || is_there;
    if (!is_there)
        put_name(key, 'c', name);
}

// --- query --------------------------------------------------------------------------------------

struct sortable {
    struct param param;
    size_t index; // as sent: parameters of one name stay in their order
};

static int compare_params(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;
    int order = params_compare(a->param.name, b->param.name);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static bool is_wanted(const struct cache_query_config *query, struct span name)
{
    if (query->choice == CACHE_QUERY_ALL)
        return true;
    for (size_t i = 0; i < query->names.count; ++i)
        if (params_name_is(name, query->names.items[i]))
            return query->choice == CACHE_QUERY_ONLY;
    return query->choice == CACHE_QUERY_EXCEPT;
}

// New memory with the wanted parameters.
static struct sortable *collect(const struct cache_query_config *query, struct span rest,
                                size_t *count)
{
    struct sortable *params = mem_alloc((rest.length / 2 + 1) * sizeof(*params));
    struct param param;
    *count = 0;
    while (params_next_query(&rest, &param)) {
        if (!is_wanted(query, param.name))
            continue;
        params[*count] = (struct sortable){param, *count};
        ++*count;
    }
    return params;
}

static void put_chosen(struct buf *key, const struct cache_key_config *config, struct span text)
{
    size_t count;
    struct sortable *params = collect(&config->query, text, &count);
    if (config->sort_query)
        qsort(params, count, sizeof(*params), compare_params);
    for (size_t i = 0; i < count; ++i) {
        buf_append(key, i == 0 ? "?" : "&", 1);
        put_escaped(key, params[i].param.text);
    }
    free(params);
}

static void put_query(struct buf *key, const struct cache_key_config *config, struct span query)
{
    if (config->query.choice == CACHE_QUERY_NONE || query.length == 0)
        return;
    if (config->query.choice == CACHE_QUERY_ALL && !config->sort_query)
        put_escaped(key, query);
    else
        put_chosen(key, config, (struct span){query.bytes + 1, query.length - 1});
}

// --- primary keys -------------------------------------------------------------------------------

static bool ends_with(struct span text, struct span end)
{
    return text.length >= end.length &&
           memcmp(text.bytes + text.length - end.length, end.bytes, end.length) == 0;
}

static struct span without_default_port(struct span host, struct span scheme)
{
    struct span port = grammar_equal(scheme, SPAN("https")) ? SPAN(":443") : SPAN(":80");
    if (ends_with(host, port))
        host.length -= port.length;
    else if (ends_with(host, SPAN(":")))
        --host.length;
    return host;
}

// Ends behind the readable part with no backslash, which could be taken for one of the hash's.
static void limit_length(struct buf *key)
{
    XXH128_canonical_t hash;
    if (key->length <= SEGMENT_KEY_MAX)
        return;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(key->data, key->length));
    key->length = KEY_READABLE;
    while (key->data[key->length - 1] == '\\')
        --key->length;
    buf_append_text(key, "\\~");
    put_hex(key, hash.digest);
}

void cache_key_write(const struct cache_key_config *config, const struct cache_key_request *request,
                     struct buf *key)
{
    put_lower(key, request->scheme);
    buf_append_text(key, ":GET:");
    if (config->host)
        put_lower(key, without_default_port(request->host, request->scheme));
    put_escaped(key, request->path);
    put_query(key, config, request->query);
    for (size_t i = 0; i < config->headers.count; ++i)
        put_field(key, 'h', text_span(config->headers.items[i]), request->fields,
                  request->field_count);
    for (size_t i = 0; i < config->cookies.count; ++i)
        put_cookie(key, text_span(config->cookies.items[i]), request);
    if (config->user)
        put_user(key, request);
    limit_length(key);
}

// --- variants -----------------------------------------------------------------------------------

enum { LIST_MAX_ELEMENTS = 64 };

// Fields that are lists of tokens without regard to case.
static const struct list_rule {
    const char *name;
    bool is_sorted; // the order means nothing
} list_rules[] = {
    {"accept-charset", false},
    {"accept-encoding", true},
    {"accept-language", false},
};

static const struct list_rule *find_list_rule(struct span name)
{
    for (size_t i = 0; i < sizeof(list_rules) / sizeof(list_rules[0]); ++i)
        if (grammar_equal(name, text_span(list_rules[i].name)))
            return &list_rules[i];
    return NULL;
}

static bool is_delimiter(char byte)
{
    return byte == ';' || byte == '=';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

// In lower case, without blanks around ';' and '='; others become one blank.
static void put_element(struct buf *list, struct span element)
{
    size_t start = list->length;
    bool blank = false;
    for (size_t i = 0; i < element.length; ++i) {
        char byte = lower(element.bytes[i]);
        if (is_blank(byte)) {
            blank = true;
            continue;
        }
        bool stays = list->length > start && !is_delimiter(list->data[list->length - 1]);
        if (blank && stays && !is_delimiter(byte))
            buf_append(list, " ", 1);
        buf_append(list, &byte, 1);
        blank = false;
    }
}

// The elements of all lines, with a ',' behind each. Returns how many, SIZE_MAX when the field is
// not there.
static size_t normalise_list(struct buf *list, struct span name, const struct field *fields,
                             size_t count)
{
    size_t elements = SIZE_MAX;
    for (size_t i = 0; i < count; ++i) {
        if (!are_same_names(fields[i].name, name))
            continue;
        struct span rest = fields[i].value, element;
        elements = elements == SIZE_MAX ? 0 : elements;
        while (grammar_next_element(&rest, &element)) {
            put_element(list, element);
            buf_append(list, ",", 1);
            ++elements;
        }
    }
    return elements;
}

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes, b->bytes, shorter);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void put_sorted(struct buf *key, struct span list)
{
    struct span elements[LIST_MAX_ELEMENTS];
    size_t count = 0;
    while (count < LIST_MAX_ELEMENTS && grammar_next_element(&list, &elements[count]))
        ++count;
    qsort(elements, count, sizeof(elements[0]), compare_spans);
    for (size_t i = 0; i < count; ++i) {
        put_escaped(key, elements[i]);
        buf_append(key, ",", 1);
    }
}

static void put_list(struct buf *key, const struct list_rule *rule, const struct field *fields,
                     size_t count)
{
    struct buf list = BUF_INIT;
    struct span name = text_span(rule->name);
    size_t elements = normalise_list(&list, name, fields, count);
    put_name(key, 'v', name);
    if (elements != SIZE_MAX)
        buf_append(key, "=", 1);
    if (elements != SIZE_MAX && elements > 0) {
        struct span text = {list.data, list.length};
        if (rule->is_sorted && elements <= LIST_MAX_ELEMENTS)
            put_sorted(key, text);
        else
            put_escaped(key, text);
        --key->length; // the last ','
    }
    buf_free(&list);
}

void cache_key_add_variant(struct buf *key, const struct vary *vary, uint32_t nonce,
                           const struct field *fields, size_t count)
{
    buf_printf(key, "|v=%08" PRIx32, nonce);
    for (size_t i = 0; i < vary->count; ++i) {
        const struct list_rule *rule = find_list_rule(vary->names[i]);
        if (rule != NULL)
            put_list(key, rule, fields, count);
        else
            put_field(key, 'v', vary->names[i], fields, count);
    }
    limit_length(key);
}
