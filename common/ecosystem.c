// An ecosystem file from its text to checked structs, and the rules between its parts.
//
// The file and a resolved document take the same way through the tables; a file is first made
// independent of its reader (ecosystem_resolve.c).

#include "common/ecosystem.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_errors.h"
#include "common/config_path.h"
#include "common/ecosystem_resolve.h"
#include "common/map.h"
#include "common/mem.h"

// What the root table fills; handed over to struct ecosystem when all is well.
struct root {
    struct key_array apps;
    struct gateway_config gateway;
    struct cachesvc_config cachesvc;
    struct metricsd_config metricsd;
};

static const struct key root_keys[] = {
    {"apps", KEY_OBJECTS, offsetof(struct root, apps), .table = &app_config_table,
     .help = "The apps to run."},
    {"gateway", KEY_OBJECT, offsetof(struct root, gateway), .table = &gateway_config_table,
     .help = "The gateway in front of them."},
    {"cachesvc", KEY_OBJECT, offsetof(struct root, cachesvc), .table = &cachesvc_config_table,
     .help = "The cache beside it."},
    {"metricsd", KEY_OBJECT, offsetof(struct root, metricsd), .table = &metricsd_config_table,
     .help = "What sums up and serves its metrics."},
    {0},
};

static const struct key_table root_table = {
    .noun = "file", .keys = root_keys, .size = sizeof(struct root)};

// --- rules between the parts ------------------------------------------------------------------

// The finding about a key of the part at the path `item`, which is freed.
static void add_part(struct config_errors *errors, char *item, const char *key,
                     const char *sentence)
{
    char *path = config_path_member(item, key);
    config_errors_add_key(errors, path, "%s", sentence);
    free(path);
    free(item);
}

// Returns the apps by name, without those whose name is not valid.
static struct map *check_names(const struct root *root, struct config_errors *errors)
{
    struct app_config *apps = root->apps.items;
    struct map *names = map_new();
    struct err err;

    for (size_t i = 0; i < root->apps.count; i++) {
        if (!apps[i].name || !map_put(names, apps[i].name, &apps[i]))
            continue;
        (void)err_set(&err, "\"%s\" is the name of another app", apps[i].name);
        add_part(errors, config_path_item("apps", i), "name", err.text);
    }
    return names;
}

static void describe_unknown(const struct map *apps, const char *name, struct err *err)
{
    const char **names = mem_zalloc(map_count(apps) + 1, sizeof *names);
    size_t cursor = 0, count = 0;
    void *app;
    while ((names[count] = map_next(apps, &cursor, &app)))
        count++;
    const char *near = suggest_word(name, names);
    (void)err_set(err, "no app \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                  near ? near : "", near ? "\"?" : "");
    free(names);
}

// A name or port that is not there because its own key has an error is no second finding.
static bool is_served(const struct root *root, const struct map *apps, const char *name,
                      bool has_errors, struct err *err)
{
    const struct app_config *app = map_get(apps, name);
    if (app && app->port == APP_PORT_NONE && !has_errors)
        return err_set(err, "the app \"%s\" needs the key \"port\"", name) == 0;
    if (app || map_count(apps) < root->apps.count)
        return true;
    describe_unknown(apps, name, err);
    return false;
}

static void check_upstreams(const struct root *root, const struct map *apps,
                            struct config_errors *errors)
{
    const struct upstream_config *upstreams = root->gateway.upstreams.items;
    bool has_errors = config_errors_noticed(errors) > 0;
    struct err err;

    for (size_t i = 0; i < root->gateway.upstreams.count; i++) {
        const char *app = upstreams[i].app;
        if (app && !is_served(root, apps, app, has_errors, &err))
            add_part(errors, config_path_member("gateway.upstreams", upstreams[i].name), "app",
                     err.text);
    }
}

static void check_root(const struct root *root, const struct json_doc *doc,
                       struct json_object *document, struct config_errors *errors)
{
    struct config_scope scope = {doc, document, ""};
    struct config_scope before = config_errors_enter(errors, scope);
    struct map *apps = check_names(root, errors);

    check_upstreams(root, apps, errors);
    if (root->apps.count == 0 && !json_get_object(document, "gateway") &&
        !json_get_object(document, "cachesvc") && !json_get_object(document, "metricsd") &&
        config_errors_count(errors) == 0)
        config_errors_add(errors, json_own_place(doc, doc ? json_doc_root(doc) : NULL),
                          "has neither apps nor a gateway");
    map_free(apps, NULL);
    (void)config_errors_enter(errors, before);
}

// --- public -----------------------------------------------------------------------------------

// A part of the root on its own; NULL when it is not in the document, and was filled with defaults.
static void *take_part(struct json_object *document, const char *name,
                       const struct key_table *table, void *part)
{
    if (!json_get_object(document, name)) {
        keytable_clear(table, part);
        return NULL;
    }
    return memcpy(mem_alloc(table->size), part, table->size);
}

static void free_part(const struct key_table *table, void *part)
{
    if (part)
        keytable_clear(table, part);
    free(part);
}

static struct ecosystem *take_root(struct root *root, struct json_object *document)
{
    struct ecosystem *ecosystem = mem_zalloc(1, sizeof *ecosystem);
    ecosystem->apps = root->apps.items;
    ecosystem->app_count = root->apps.count;
    ecosystem->document = json_object_get(document);
    ecosystem->gateway = take_part(document, "gateway", &gateway_config_table, &root->gateway);
    ecosystem->cachesvc = take_part(document, "cachesvc", &cachesvc_config_table, &root->cachesvc);
    ecosystem->metricsd = take_part(document, "metricsd", &metricsd_config_table, &root->metricsd);
    return ecosystem;
}

// doc may be NULL.
static struct ecosystem *read_document(struct json_object *document, const struct json_doc *doc,
                                       struct config_errors *errors)
{
    struct root root = {0};
    size_t before = config_errors_count(errors);
    int result = keytable_parse(&root_table, document, doc, "", &root, errors);

    check_root(&root, doc, document, errors);
    if (result == 0 && config_errors_count(errors) == before)
        return take_root(&root, document);
    keytable_clear(&root_table, &root);
    return NULL;
}

struct ecosystem *ecosystem_from_document(struct json_object *document,
                                          struct config_errors *errors)
{
    return read_document(document, NULL, errors);
}

struct ecosystem *ecosystem_load(const char *text, size_t length, const char *folder,
                                 subst_lookup *lookup, void *context, struct config_errors *errors)
{
    struct json_place place;
    struct err err;
    size_t before = config_errors_count(errors);
    struct json_doc *doc = json_doc_parse(text, length, JSON_RELAXED, &place, &err);

    if (!doc) {
        config_errors_add(errors, place, "%s", err.text);
        return NULL;
    }
    ecosystem_expand(doc, lookup, context, errors);
    struct json_object *document = ecosystem_wrap(json_doc_root(doc));
    ecosystem_add_sidecars(document);
    ecosystem_make_absolute(document, folder);
    struct ecosystem *ecosystem = read_document(document, doc, errors);
    if (ecosystem && !json_get_array(document, "apps"))
        json_object_object_add(document, "apps", json_object_new_array());
    if (ecosystem && config_errors_count(errors) > before) {
        ecosystem_free(ecosystem);
        ecosystem = NULL;
    }
    json_object_put(document);
    json_doc_free(doc);
    return ecosystem;
}

void ecosystem_free(struct ecosystem *ecosystem)
{
    if (!ecosystem)
        return;
    for (size_t i = 0; i < ecosystem->app_count; i++)
        keytable_clear(&app_config_table, &ecosystem->apps[i]);
    free(ecosystem->apps);
    free_part(&gateway_config_table, ecosystem->gateway);
    free_part(&cachesvc_config_table, ecosystem->cachesvc);
    free_part(&metricsd_config_table, ecosystem->metricsd);
    json_object_put(ecosystem->document);
    free(ecosystem);
}
