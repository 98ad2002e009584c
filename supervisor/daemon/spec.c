// Shared, immutable app settings. Several specs of one file share its ecosystem.

#include "spec.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct origin {
    unsigned references;
    struct ecosystem *ecosystem;
    struct json_object *environment;
};

struct spec {
    unsigned references;
    struct origin *origin;
    const struct app_config *config;
    enum spec_role role;
    struct json_object *json;
};

static const char *const own_names[] = {
    [SPEC_GATEWAY] = "gateway", [SPEC_CACHESVC] = "cachesvc", [SPEC_METRICSD] = "metricsd"};

static struct spec *spec_new(struct origin *origin, enum spec_role role,
                             const struct app_config *config, struct json_object *json)
{
    struct spec *spec = mem_zalloc(1, sizeof *spec);
    origin->references++;
    *spec = (struct spec){1, origin, config, role, json};
    return spec;
}

static struct spec *own_spec(struct origin *origin, enum spec_role role,
                             const struct app_config *config)
{
    return spec_new(origin, role, config,
                    json_get_object(origin->ecosystem->document, own_names[role]));
}

static void origin_unref(struct origin *origin)
{
    if (--origin->references > 0)
        return;
    ecosystem_free(origin->ecosystem);
    json_object_put(origin->environment);
    free(origin);
}

struct spec **spec_list(struct ecosystem *ecosystem, struct json_object *environment, size_t *count)
{
    struct origin *origin = mem_zalloc(1, sizeof *origin);
    *origin = (struct origin){1, ecosystem, json_object_get(environment)};
    struct spec **list = mem_zalloc(ecosystem->app_count + 4, sizeof(struct spec *));
    struct json_object *apps = json_get_array(ecosystem->document, "apps");
    size_t n = 0;

    for (size_t i = 0; i < ecosystem->app_count; i++)
        list[n++] =
            spec_new(origin, SPEC_APP, &ecosystem->apps[i], json_object_array_get_idx(apps, i));
    if (ecosystem->cachesvc)
        list[n++] = own_spec(origin, SPEC_CACHESVC, &ecosystem->cachesvc->process);
    if (ecosystem->metricsd)
        list[n++] = own_spec(origin, SPEC_METRICSD, &ecosystem->metricsd->process);
    if (ecosystem->gateway)
        list[n++] = own_spec(origin, SPEC_GATEWAY, &ecosystem->gateway->process);
    origin_unref(origin);
    *count = n;
    return list;
}

struct spec *spec_ref(struct spec *spec)
{
    spec->references++;
    return spec;
}

void spec_unref(struct spec *spec)
{
    if (!spec || --spec->references > 0)
        return;
    origin_unref(spec->origin);
    free(spec);
}

enum spec_role spec_role(const struct spec *spec)
{
    return spec->role;
}

const char *spec_name(const struct spec *spec)
{
    return spec->role == SPEC_APP ? spec->config->name : own_names[spec->role];
}

const struct app_config *spec_config(const struct spec *spec)
{
    return spec->config;
}

const struct gateway_config *spec_gateway(const struct spec *spec)
{
    return spec->role == SPEC_GATEWAY ? spec->origin->ecosystem->gateway : NULL;
}

const struct cachesvc_config *spec_cachesvc(const struct spec *spec)
{
    return spec->role == SPEC_CACHESVC ? spec->origin->ecosystem->cachesvc : NULL;
}

struct json_object *spec_document(const struct spec *spec)
{
    return spec->origin->ecosystem->document;
}

struct json_object *spec_environment(const struct spec *spec)
{
    return spec->origin->environment;
}

struct json_object *spec_json(const struct spec *spec)
{
    return spec->json;
}

static size_t count_keys(const struct spec *spec)
{
    return (size_t)json_object_object_length(spec->json) -
           json_object_object_get_ex(spec->json, "instances", NULL);
}

bool spec_equal(const struct spec *a, const struct spec *b)
{
    if (count_keys(a) != count_keys(b))
        return false;
    json_object_object_foreach(a->json, key, value)
    {
        struct json_object *other = NULL;
        if (strcmp(key, "instances") == 0)
            continue;
        if (!json_object_object_get_ex(b->json, key, &other) || !json_object_equal(value, other))
            return false;
    }
    return true;
}
