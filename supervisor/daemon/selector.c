// Resolves selectors against the apps of the daemon.

#include "selector.h"

#include <stdlib.h>
#include <string.h>

#include "common/keytable.h"
#include "common/mem.h"

static struct slot *find_slot(const struct app *app, const char *text)
{
    char *end;
    unsigned long id = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end)
        return NULL;
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app->slots[i]->id == id)
            return app->slots[i];
    }
    return NULL;
}

static bool names_app(const struct app *app, const char *selector)
{
    return strcmp(selector, "all") == 0 || strcmp(selector, app->name) == 0;
}

static int refuse(const struct daemon *daemon, const char *selector, struct err *err)
{
    size_t count = 0;
    const char *names[128];
    for (struct app *app = daemon->apps; app && count < 127; app = app->next)
        names[count++] = app->name;
    names[count] = NULL;
    const char *near = suggest_word(selector, names);
    if (count == 0)
        return err_set(err, "%s: no app is known here", selector);
    return err_set(err, "%s: no such app or id%s%s%s", selector, near ? "; did you mean \"" : "",
                   near ? near : "", near ? "\"?" : "");
}

static void drop_slots(struct selection *selection, const struct app *app)
{
    size_t kept = 0;
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->items[i].app != app)
            selection->items[kept++] = selection->items[i];
    }
    selection->count = kept;
}

static void add(struct selection *selection, struct app *app, struct slot *slot)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct selected *item = &selection->items[i];
        if (item->app == app && (item->slot == slot || !item->slot))
            return;
    }
    if (!slot)
        drop_slots(selection, app);
    selection->items =
        mem_realloc(selection->items, (selection->count + 1) * sizeof *selection->items);
    // All of an app's slots are one thing: the process of a one-slot app is the app.
    selection->items[selection->count++] =
        (struct selected){app, app->slot_count > 1 ? slot : NULL};
}

static bool add_matches(const struct daemon *daemon, const char *selector,
                        struct selection *selection)
{
    bool any = false;
    for (struct app *app = daemon->apps; app; app = app->next) {
        struct slot *slot = find_slot(app, selector);
        if (!slot && !names_app(app, selector))
            continue;
        add(selection, app, names_app(app, selector) ? NULL : slot);
        any = true;
    }
    return any;
}

int selector_resolve(const struct daemon *daemon, struct json_object *selectors,
                     struct selection *selection, struct err *err)
{
    *selection = (struct selection){0};
    size_t wanted = selectors ? json_object_array_length(selectors) : 0;
    if (wanted == 0)
        return err_set(err, "no app was named");
    for (size_t i = 0; i < wanted; i++) {
        const char *selector = json_object_get_string(json_object_array_get_idx(selectors, i));
        // `all` of nothing is nothing to do.
        bool nothing = selector && strcmp(selector, "all") == 0 && !daemon->apps;
        if (nothing || (selector && add_matches(daemon, selector, selection)))
            continue;
        free(selection->items);
        return refuse(daemon, selector ? selector : "null", err);
    }
    return 0;
}
