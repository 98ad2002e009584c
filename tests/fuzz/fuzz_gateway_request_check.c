// Any bytes as a request head. What is accepted must go upstream as a head that is accepted again
// and says the same: the round trip that a smuggled request would not survive.
//
// covers: gateway/request_check.c gateway/request_head.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request_check.h"
#include "request_head.h"
#include "target.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool are_same(struct span left, struct span right)
{
    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

static void check_facts(const char *bytes, size_t length, const struct request_facts *facts)
{
    size_t end = facts->head_length;
    require(end >= 4 && end <= length && memcmp(bytes + end - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < end; ++i) {
        require(bytes[i] != '\0');
        require(bytes[i] != '\n' || bytes[i - 1] == '\r');
        require(bytes[i] != '\r' || bytes[i + 1] == '\n');
    }
    require(facts->field_count <= REQUEST_MAX_FIELDS);
    require(!facts->has_transfer_encoding || !facts->has_content_length);
    require(facts->version_minor == 0 || facts->authority.length > 0);
    require(facts->path.bytes[0] == '/' || are_same(facts->path, SPAN("*")));
}

static void check_upstream_head(const struct request_facts *facts, struct span path)
{
    static struct request_facts again;
    struct request_head head = {.method = facts->method,
                                .path = path,
                                .query = facts->query,
                                .host = facts->authority.length > 0 ? facts->authority : SPAN("x"),
                                .peer = SPAN("192.0.2.7"),
                                .scheme = SPAN("http"),
                                .fields = facts->fields,
                                .field_count = facts->field_count,
                                .has_content_length = facts->has_content_length,
                                .content_length = facts->content_length};
    size_t bound = request_head_bound(&head);
    size_t length = 0;
    char *out = malloc(bound);
    require(out != NULL);
    if (request_head_write(&head, out, bound, &length, NULL) == 0 &&
        facts->field_count + 4 < REQUEST_MAX_FIELDS) {
        require(request_check(out, length, &again) == NULL);
        require(again.head_length == length && !again.has_transfer_encoding);
        require(are_same(again.method, head.method) && are_same(again.authority, head.host));
        require(are_same(again.path, head.path) && are_same(again.query, head.query));
        require(again.has_content_length == head.has_content_length);
        require(again.content_length == head.content_length);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request_facts facts;
    struct span path;
    const char *reason = request_check((const char *)data, size, &facts);
    if (reason != NULL) {
        require(reason[0] != '\0');
        return 0;
    }
    check_facts((const char *)data, size, &facts);
    char *out = malloc(facts.path.length);
    require(out != NULL);
    if (target_normalise(facts.path, out, &path) == 0)
        check_upstream_head(&facts, path);
    free(out);
    return 0;
}
