// Works on the JSON tree, before the tables see it, so that the document that is sent to the
// supervisor is what was checked.
//
// Invariant: containers and keys stay the same objects, because places hang on them (json.c).

#include "common/ecosystem_resolve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/config_errors.h"
#include "common/config_path.h"
#include "common/mem.h"

struct expander {
    const struct json_doc *doc;
    subst_lookup *lookup;
    void *context;
    struct config_errors *errors;
};

// --- variables --------------------------------------------------------------------------------

static void add_finding(const struct expander *expander, struct json_object *value,
                        const char *path, const char *sentence)
{
    config_errors_add_final(expander->errors, json_own_place(expander->doc, value), "%s%s%s", path,
                            *path ? ": " : "", sentence);
}

static void expand_string(const struct expander *expander, struct json_object *value,
                          const char *path)
{
    const char *text = json_object_get_string(value);
    struct err err;

    if (strlen(text) != (size_t)json_object_get_string_len(value)) {
        add_finding(expander, value, path, "holds a NUL character");
        return;
    }
    if (!strchr(text, '$'))
        return;
    char *expanded = subst_expand(text, expander->lookup, expander->context, &err);
    if (expanded)
        (void)json_object_set_string(value, expanded);
    else
        add_finding(expander, value, path, err.text);
    free(expanded);
}

static void expand(const struct expander *expander, struct json_object *value, const char *path)
{
    if (json_object_is_type(value, json_type_string)) {
        expand_string(expander, value, path);
    } else if (json_object_is_type(value, json_type_array)) {
        size_t count = json_object_array_length(value);
        for (size_t i = 0; i < count; i++) {
            char *item = config_path_item(path, i);
            expand(expander, json_object_array_get_idx(value, i), item);
            free(item);
        }
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, member)
        {
            char *name = config_path_member(path, key);
            expand(expander, member, name);
            free(name);
        }
    }
}

void ecosystem_expand(const struct json_doc *doc, subst_lookup *lookup, void *context,
                      struct config_errors *errors)
{
    struct expander expander = {doc, lookup, context, errors};
    expand(&expander, json_doc_root(doc), "");
}

// --- forms ------------------------------------------------------------------------------------

// keys end with NULL.
static bool has_any(struct json_object *object, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_object_object_get_ex(object, *keys, NULL))
            return true;
    return false;
}

static bool is_one_app(struct json_object *root)
{
    static const char *const parts[] = {"apps", "gateway", "cachesvc", "metricsd", NULL};
    static const char *const app_keys[] = {"name", "script", "exec", "cmd", NULL};
    return json_object_is_type(root, json_type_object) && !has_any(root, parts) &&
           has_any(root, app_keys);
}

struct json_object *ecosystem_wrap(struct json_object *root)
{
    struct json_object *apps;
    if (is_one_app(root)) {
        apps = json_object_new_array();
        json_object_array_add(apps, json_object_get(root));
    } else if (json_object_is_type(root, json_type_array)) {
        apps = json_object_get(root);
    } else {
        return json_object_get(root);
    }
    struct json_object *document = json_object_new_object();
    json_object_object_add(document, "apps", apps);
    return document;
}

static void add_sidecar(struct json_object *document, const char *name)
{
    struct json_object *value;
    if (!json_object_object_get_ex(document, name, &value)) {
        if (json_get_object(document, "gateway"))
            json_object_object_add(document, name, json_object_new_object());
    } else if (json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)) {
        json_object_object_del(document, name);
    }
}

void ecosystem_add_sidecars(struct json_object *document)
{
    if (!json_object_is_type(document, json_type_object))
        return;
    add_sidecar(document, "cachesvc");
    add_sidecar(document, "metricsd");
}

// --- paths ------------------------------------------------------------------------------------

static char *join(const char *folder, const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        path += 2 + strspn(path + 2, "/");
    if (strcmp(path, ".") == 0 || !*path)
        return mem_strdup(folder);
    return mem_printf("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", path);
}

// An empty string stays, for its row to refuse.
static struct json_object *get_relative(struct json_object *process, const char *key)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(process, key, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    const char *path = json_object_get_string(value);
    return *path && *path != '/' ? value : NULL;
}

static void make_absolute(struct json_object *process, const char *key, const char *folder)
{
    struct json_object *value = get_relative(process, key);
    if (!value)
        return;
    char *path = join(folder, json_object_get_string(value));
    (void)json_object_set_string(value, path);
    free(path);
}

static bool is_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

// A script is one of the file's folder, else one of its cwd (as PM2 has it), else, when it has no
// "/", a command.
static void make_script_absolute(struct json_object *app, const char *key, const char *folder)
{
    struct json_object *value = get_relative(app, key);
    if (!value)
        return;
    const char *cwd = json_get_string(app, "cwd", folder);
    char *here = join(folder, json_object_get_string(value));
    char *there = join(*cwd ? cwd : folder, json_object_get_string(value));
    if (is_file(here))
        (void)json_object_set_string(value, here);
    else if (is_file(there))
        (void)json_object_set_string(value, there);
    else if (strchr(json_object_get_string(value), '/'))
        (void)json_object_set_string(value, here);
    free(here);
    free(there);
}

static void make_process_absolute(struct json_object *process, const char *folder)
{
    if (!json_object_is_type(process, json_type_object))
        return;
    make_absolute(process, "out_file", folder);
    make_absolute(process, "log_file", folder);
    make_absolute(process, "error_file", folder);
    if (json_object_object_get_ex(process, "cwd", NULL))
        make_absolute(process, "cwd", folder);
    else
        json_object_object_add(process, "cwd", json_object_new_string(folder));
}

void ecosystem_make_absolute(struct json_object *document, const char *folder)
{
    struct json_object *apps = json_get_array(document, "apps");
    size_t count = apps ? json_object_array_length(apps) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *app = json_object_array_get_idx(apps, i);
        make_process_absolute(app, folder);
        make_script_absolute(app, "script", folder);
        make_script_absolute(app, "exec", folder);
        make_script_absolute(app, "cmd", folder);
    }
    make_process_absolute(json_get_object(document, "gateway"), folder);
    make_process_absolute(json_get_object(document, "cachesvc"), folder);
    make_process_absolute(json_get_object(document, "metricsd"), folder);
}
