// check: an ecosystem file, without a supervisor.

#include <stdio.h>

#include "commands.h"
#include "common/json.h"
#include "common/proto.h"
#include "source.h"

static size_t count_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    if (!object || !json_object_object_get_ex(object, key, &value) || !value)
        return 0;
    if (json_object_is_type(value, json_type_array))
        return json_object_array_length(value);
    return (size_t)json_object_object_length(value);
}

static void count(const char *what, size_t number)
{
    printf("%zu %s%s", number, what, number == 1 ? "" : "s");
}

int cmd_check(const struct command *command, const struct options *options)
{
    (void)command;
    struct json_object *document = source_load_file(options->words[0]);
    if (!document)
        return EXIT_FAILED;
    struct json_object *gateway = json_get_object(document, "gateway");
    printf("%s: ", options->words[0]);
    count("app", count_of(document, "apps"));
    if (gateway) {
        printf(", a gateway with ");
        count("listener", count_of(gateway, "listen"));
        printf(", ");
        count("upstream", count_of(gateway, "upstreams"));
        printf(", ");
        count("route", count_of(gateway, "routes"));
    }
    puts(": ok");
    json_object_put(document);
    return EXIT_OK;
}
