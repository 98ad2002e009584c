// Any bytes as JSON. What is accepted must print to a text that is accepted again and prints the
// same; what JSON_STRICT accepts, JSON_RELAXED does too.
//
// covers: common/json.c common/json_scan.c common/json_token.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_printed(struct json_object *root)
{
    const char *text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN);
    struct err err;
    struct json_place place;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_STRICT, &place, &err);
    require(doc != NULL);
    const char *again = json_object_to_json_string_ext(json_doc_root(doc), JSON_C_TO_STRING_PLAIN);
    require(strcmp(text, again) == 0);
    json_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct json_place place = {0, 0};
    struct err err;
    struct json_doc *strict = json_doc_parse(text, size, JSON_STRICT, NULL, &err);
    struct json_doc *relaxed = json_doc_parse(text, size, JSON_RELAXED, &place, &err);

    require(strict == NULL || relaxed != NULL);
    require(relaxed != NULL || (place.line > 0 && place.column > 0));
    if (relaxed != NULL)
        check_printed(json_doc_root(relaxed));
    json_doc_free(strict);
    json_doc_free(relaxed);
    return 0;
}
