// Any bytes as what lies in the cache. What is read lies within them, and written again it is the
// same.
//
// covers: gateway/stored.c gateway/vary.c gateway/conditional.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/stored_form.h"
#include "conditional.h"
#include "fields.h"
#include "grammar.h"
#include "response.h"
#include "stored.h"
#include "vary.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_within(struct span part, struct span blob)
{
    require(part.length == 0 || (part.bytes >= blob.bytes && part.length <= blob.length &&
                                 part.bytes + part.length <= blob.bytes + blob.length));
}

static void require_same(const struct buf *written, struct span blob)
{
    require(written->length == blob.length);
    require(memcmp(written->data, blob.bytes, blob.length) == 0);
}

static size_t take_fields(const struct stored *stored, struct span blob, struct field *fields)
{
    struct span rest = stored->fields;
    size_t count = 0;
    while (stored_next_field(&rest, &fields[count])) {
        const struct field *field = &fields[count++];
        require_within(field->name, blob);
        require_within(field->value, blob);
        require(memchr(field->value.bytes, '\n', field->value.length) == NULL);
        require(count <= RESPONSE_MAX_FIELDS);
    }
    require(rest.length == 0 && count == stored->field_count);
    return count;
}

static void check_answer(const struct stored *stored, struct span blob)
{
    static const struct connection_names none = {.count = 0};
    struct field fields[RESPONSE_MAX_FIELDS + 1];
    struct buf written = BUF_INIT;
    require_within(stored->reason, blob);
    require_within(stored->body, blob);
    require_within(stored->etag, blob);
    require_within(stored->last_modified, blob);
    size_t count = take_fields(stored, blob, fields);
    struct stored_source source = {stored->stored_at_ms,
                                   stored->ttl_ms,
                                   stored->initial_age_s,
                                   stored->status,
                                   stored->reason,
                                   fields,
                                   count,
                                   &none};
    require(stored_begin(&written, &source) == 0);
    buf_append(&written, stored->body.bytes, stored->body.length);
    stored_finish(&written);
    require_same(&written, blob);
    buf_free(&written);
    (void)conditional_is_not_modified(fields, count, stored->etag, stored->last_modified, 0);
}

static void check_vary(const struct stored *stored, const struct vary *vary, struct span blob)
{
    struct buf written = BUF_INIT;
    stored_write_vary(&written, vary, stored->nonce, stored->stored_at_ms);
    require_same(&written, blob);
    buf_free(&written);
}

static void check(struct span blob)
{
    struct stored stored;
    struct vary vary;
    switch (stored_read(blob, &stored, &vary)) {
    case STORED_ANSWER:
        check_answer(&stored, blob);
        break;
    case STORED_VARY:
        check_vary(&stored, &vary, blob);
        break;
    case STORED_PASS:
    case STORED_BAD:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The byte of the version counts from the present one, so that what is kept outlives it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { VERSION_AT = 1 };
    char *bytes = mem_alloc(size);
    if (size > 0)
        memcpy(bytes, data, size);
    if (size > VERSION_AT)
        bytes[VERSION_AT] = (char)(bytes[VERSION_AT] + STORED_VERSION);
    check((struct span){bytes, size});
    free(bytes);
    return 0;
}
