// The rows of control.sock's commands, and the handlers of those of gwctl. Who may say what: gwctl
// everything but the worker verbs; a worker (known by its pid) its verbs only.

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ecosystem.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"
#include "control.h"
#include "daemon.h"
#include "ending.h"
#include "events.h"
#include "keeper_link.h"
#include "listing.h"
#include "log_verbs.h"
#include "operation.h"
#include "reload.h"
#include "request.h"
#include "selector.h"
#include "update.h"
#include "worker_verbs.h"

enum { EVENTS_DEFAULT = 50 };

// --- documents ----------------------------------------------------------------------------------

static void refuse_errors(const struct request *request, struct config_errors *errors)
{
    char *text = mem_strdup("");
    for (size_t i = 0; i < config_errors_count(errors); i++) {
        char *more = mem_printf("%s%s%s", text, *text ? "\n" : "", config_errors_text(errors, i));
        free(text);
        text = more;
    }
    control_refuse(request->connection, request->id, text);
    free(text);
}

// The specs of the request's document; NULL when it was refused.
static struct spec **read_document(const struct request *request, struct json_object *document,
                                   size_t *count)
{
    const char *file = json_get_string(request->args, "file", "command line");
    struct config_errors *errors = config_errors_new(file);
    struct ecosystem *ecosystem = ecosystem_from_document(document, errors);
    struct spec **specs = NULL;
    if (ecosystem)
        specs = spec_list(ecosystem, json_get_array(request->args, "environment"), count);
    else
        refuse_errors(request, errors);
    config_errors_free(errors);
    return specs;
}

static void free_specs(struct spec **specs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        spec_unref(specs[i]);
    free(specs);
}

// One gateway and one of each sidecar a home: a second file that brings one is refused, before
// anything was changed.
static bool has_foreign(const struct request *request, struct spec **specs, size_t count)
{
    const char *file = json_get_string(request->args, "file", "command line");
    for (size_t i = 0; i < count; i++) {
        const struct app *app = daemon_find_app(request->daemon, spec_name(specs[i]));
        if (spec_role(specs[i]) == SPEC_APP || !app || strcmp(app->file, file) == 0)
            continue;
        char *text = mem_printf("this home has a %s already, from %s; delete it first, or use "
                                "another GWCTL_HOME",
                                app->name, app->file);
        control_refuse(request->connection, request->id, text);
        free(text);
        return true;
    }
    return false;
}

enum verb { VERB_START, VERB_RESTART, VERB_RELOAD };

static const char *const verbs[] = {
    [VERB_START] = "start", [VERB_RESTART] = "restart", [VERB_RELOAD] = "reload"};

static void reload_app(struct app *app, struct spec *spec, struct operation *operation)
{
    struct err err;
    if (reload_start(app, spec, operation, &err) == -1)
        operation_fail(operation, "%s", err.text);
}

static bool any_alive(const struct app *app)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (worker_state_alive(app->slots[i]->current->state))
            return true;
    }
    return false;
}

static bool is_going(const struct app *app, struct operation *operation)
{
    if (app->deleting)
        operation_fail(operation, "%s: it is being deleted", app->name);
    return app->deleting;
}

static void apply_to_known(struct app *app, struct spec *spec, enum verb verb,
                           struct operation *operation)
{
    struct spec *before = spec_ref(app->spec);
    bool changed = !spec_equal(app->spec, spec);
    bool reload = app->reload || (any_alive(app) && (verb == VERB_RELOAD || changed));

    if (is_going(app, operation)) {
        // told
    } else if (app->reload || (reload && verb != VERB_RESTART)) {
        reload_app(app, spec, operation);
    } else {
        app_set_spec(app, spec);
        operation_follow_instances(operation, app, before);
        if (verb == VERB_RESTART)
            app_restart(app);
        else
            app_start(app); // what runs stays as it is
        operation_expect_running(operation, app, NULL);
    }
    spec_unref(before);
}

static void apply_spec(const struct request *request, struct spec *spec, enum verb verb,
                       struct operation *operation)
{
    struct app *app = daemon_find_app(request->daemon, spec_name(spec));
    if (app) {
        apply_to_known(app, spec, verb, operation);
        return;
    }
    app = app_new(request->daemon, spec, json_get_string(request->args, "file", ""));
    daemon_add_app(request->daemon, app);
    app_start(app);
    operation_expect_running(operation, app, NULL);
}

static void apply_document(const struct request *request, struct json_object *document,
                           enum verb verb)
{
    size_t count = 0;
    struct spec **specs = read_document(request, document, &count);
    if (!specs)
        return;
    if (!has_foreign(request, specs, count)) {
        struct operation *operation = operation_begin(request->connection, request->id);
        events_note(request->daemon, "config", verbs[verb], "%s",
                    json_get_string(request->args, "file", "command line"));
        for (size_t i = 0; i < count; i++)
            apply_spec(request, specs[i], verb, operation);
        operation_commit(operation);
    }
    free_specs(specs, count);
}

static void apply_to_slot(struct app *app, struct slot *slot, enum verb verb,
                          struct operation *operation)
{
    if (is_going(app, operation))
        return;
    if (slot->retiring)
        operation_fail(operation, "%s: it is being scaled away", slot->current->label);
    else if (verb == VERB_START)
        app_start_slot(slot);
    else
        worker_restart(slot->current, RESTART_MANUAL);
    operation_expect_running(operation, app, slot);
}

// Resolves the request's selectors; false when it was refused.
static bool select_apps(const struct request *request, struct selection *selection)
{
    struct err err;
    if (selector_resolve(request->daemon, json_get_array(request->args, "selectors"), selection,
                         &err) == 0)
        return true;
    control_refuse(request->connection, request->id, err.text);
    return false;
}

static void apply_selection(const struct request *request, enum verb verb)
{
    struct selection selection;
    if (!select_apps(request, &selection))
        return;
    struct operation *operation = operation_begin(request->connection, request->id);
    for (size_t i = 0; i < selection.count; i++) {
        struct app *app = selection.items[i].app;
        // A reload is of the whole app: its processes share settings and sockets.
        if (selection.items[i].slot && verb != VERB_RELOAD && !app->reload)
            apply_to_slot(app, selection.items[i].slot, verb, operation);
        else
            apply_to_known(app, app->spec, verb, operation);
    }
    free(selection.items);
    operation_commit(operation);
}

static void apply(const struct request *request, enum verb verb)
{
    struct json_object *document = json_get_object(request->args, "document");
    if (request->daemon->ending)
        control_refuse(request->connection, request->id, "the supervisor is ending");
    else if (document)
        apply_document(request, document, verb);
    else
        apply_selection(request, verb);
}

// --- commands of gwctl --------------------------------------------------------------------------

static void command_start(const struct request *request)
{
    apply(request, VERB_START);
}

static void command_restart(const struct request *request)
{
    apply(request, VERB_RESTART);
}

static void command_reload(const struct request *request)
{
    apply(request, VERB_RELOAD);
}

static void stop_selected(const struct selected *selected, struct operation *operation)
{
    struct app *app = selected->app;
    if (selected->slot && app->reload) {
        operation_fail(operation, "%s: a reload is under way", app->name);
        return;
    }
    operation_expect_stopped(operation, app, selected->slot);
    if (selected->slot)
        worker_stop(selected->slot->current, "stopped by command");
    else
        app_stop(app);
}

static void command_stop(const struct request *request)
{
    struct selection selection;
    if (!select_apps(request, &selection))
        return;
    struct operation *operation = operation_begin(request->connection, request->id);
    for (size_t i = 0; i < selection.count; i++)
        stop_selected(&selection.items[i], operation);
    free(selection.items);
    operation_commit(operation);
}

static void delete_app(struct app *app, struct operation *operation)
{
    operation_expect_gone(operation, app, 0);
    app->deleting = true;
    app_stop(app);
    app->daemon->changed = true; // one that does not run has no transition that would tell it
}

static void command_delete(const struct request *request)
{
    struct selection selection;
    if (!select_apps(request, &selection))
        return;
    struct operation *operation = operation_begin(request->connection, request->id);
    for (size_t i = 0; i < selection.count; i++) {
        struct app *app = selection.items[i].app;
        if (selection.items[i].slot)
            operation_fail(operation,
                           "%s has several processes: `gwctl scale %s -1` takes one away",
                           app->name, app->name);
        else
            delete_app(app, operation);
    }
    free(selection.items);
    operation_commit(operation);
}

// "4", "+2", "-1" to a number of slots; -1 when it is none.
static long scale_target(const char *text, size_t now)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < -APP_INSTANCES_LIMIT || number > APP_INSTANCES_LIMIT)
        return -1;
    if (*text == '+' || *text == '-')
        number += (long)now;
    return number >= 1 && number <= APP_INSTANCES_LIMIT ? number : -1;
}

static struct app *select_one(const struct request *request)
{
    struct json_object *one = json_object_new_array();
    struct selection selection;
    struct app *app = NULL;
    struct err err;

    json_object_array_add(one,
                          json_object_new_string(json_get_string(request->args, "selector", "")));
    if (selector_resolve(request->daemon, one, &selection, &err) == -1)
        control_refuse(request->connection, request->id, err.text);
    else if (selection.count != 1)
        control_refuse(request->connection, request->id, "one app at a time");
    else
        app = selection.items[0].app;
    if (app || selection.count > 0)
        free(selection.items);
    json_object_put(one);
    return app;
}

static void command_scale(const struct request *request)
{
    struct app *app = select_one(request);
    if (!app)
        return;
    long target = scale_target(json_get_string(request->args, "instances", ""), app->slot_count);
    if (target == -1) {
        control_refuse(request->connection, request->id,
                       "not a number of instances (1 to 256, +n, -n)");
        return;
    }
    struct operation *operation = operation_begin(request->connection, request->id);
    if (!is_going(app, operation))
        operation_scale(operation, app, (size_t)target);
    operation_commit(operation);
}

static void command_list(const struct request *request)
{
    control_answer(request->connection, request->id, listing_build(request->daemon));
}

static void command_events(const struct request *request)
{
    int64_t lines = json_get_int(request->args, "lines", EVENTS_DEFAULT);
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "events",
                           events_list(request->daemon->events, lines > 0 ? (size_t)lines : 0));
    json_object_object_add(answer, "last",
                           json_object_new_int64((int64_t)events_last(request->daemon->events)));
    control_answer(request->connection, request->id, answer);
    if (json_get_bool(request->args, "follow", false))
        control_follow(request->connection);
}

static void command_ping(const struct request *request)
{
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "pid", json_object_new_int(getpid()));
    json_object_object_add(answer, "version", json_object_new_string(GWCTL_VERSION));
    json_object_object_add(
        answer, "keeper",
        json_object_new_int(keeper_link_connected(request->daemon->keeper) ? getppid() : 0));
    json_object_object_add(answer, "leftovers",
                           json_object_new_int64((int64_t)request->daemon->abandoned));
    json_object_object_add(answer, "protocol", json_object_new_int(PROTO_VERSION));
    control_answer(request->connection, request->id, answer);
}

static void command_kill(const struct request *request)
{
    struct operation *operation = operation_begin(request->connection, request->id);
    ending_begin(request->daemon, false);
    for (struct app *app = request->daemon->apps; app; app = app->next)
        operation_expect_stopped(operation, app, NULL);
    operation_commit(operation);
}

// --- the table ----------------------------------------------------------------------------------

enum speaker { SPEAKER_GWCTL, SPEAKER_WORKER };

static const struct command {
    const char *word;
    enum speaker speaker;
    void (*handle)(const struct request *request);
} commands[] = {
    {"ping", SPEAKER_GWCTL, command_ping},
    {"list", SPEAKER_GWCTL, command_list},
    {"events", SPEAKER_GWCTL, command_events},
    {"start", SPEAKER_GWCTL, command_start},
    {"restart", SPEAKER_GWCTL, command_restart},
    {"reload", SPEAKER_GWCTL, command_reload},
    {"stop", SPEAKER_GWCTL, command_stop},
    {"delete", SPEAKER_GWCTL, command_delete},
    {"scale", SPEAKER_GWCTL, command_scale},
    {"update", SPEAKER_GWCTL, update_begin},
    {"flush", SPEAKER_GWCTL, log_verbs_flush},
    {"reloadLogs", SPEAKER_GWCTL, log_verbs_reopen},
    {"kill", SPEAKER_GWCTL, command_kill},
    {"register", SPEAKER_WORKER, worker_verbs_register},
    {"endpoints_ack", SPEAKER_WORKER, worker_verbs_endpoints_ack},
    {"event", SPEAKER_WORKER, worker_verbs_event},
};

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].word, word) == 0)
            return &commands[i];
    }
    return NULL;
}

static bool may_say(const struct request *request, const struct command *command)
{
    struct worker *worker = worker_verbs_speaker(request);
    bool is_worker = worker && spec_role(worker->spec) != SPEC_APP;
    return is_worker == (command->speaker == SPEAKER_WORKER);
}

void commands_handle(struct control_connection *connection, struct json_object *message)
{
    struct request request = {control_daemon(connection), connection,
                              json_get_int(message, "id", 0), json_get_object(message, "args")};
    const char *word = json_get_string(message, "cmd", "");
    const struct command *command = find_command(word);
    char text[128];

    if (!command) {
        log_warn("control: pid %d: unknown command \"%.40s\"", (int)control_peer_pid(connection),
                 word);
        snprintf(text, sizeof text, "unknown command \"%.40s\"", word);
        control_refuse(connection, request.id, text);
    } else if (!may_say(&request, command)) {
        log_warn("control: pid %d may not say \"%s\"", (int)control_peer_pid(connection), word);
        control_refuse(connection, request.id, "not allowed");
    } else {
        command->handle(&request);
    }
}
