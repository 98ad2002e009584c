// flush and reloadLogs. A file that cannot be emptied or opened does not keep the others from it;
// the first reason is the answer.

#include "log_verbs.h"

#include <stdlib.h>

#include "common/json.h"
#include "control.h"
#include "log_file.h"
#include "selector.h"
#include "spawn.h"

struct outcome {
    bool failed;
    struct err err; // the first one
};

static void note(struct outcome *outcome, int result, const struct err *err)
{
    if (result == -1 && !outcome->failed)
        outcome->err = *err;
    outcome->failed = outcome->failed || result == -1;
}

static void answer(const struct request *request, const struct outcome *outcome)
{
    if (outcome->failed)
        control_refuse(request->connection, request->id, outcome->err.text);
    else
        control_answer(request->connection, request->id, NULL);
}

static void flush_worker(struct worker *worker, void *context)
{
    struct err err;
    for (int error = 0; error <= 1; error++) {
        char *path = spawn_log_path(worker, error);
        note(context, log_file_empty(path, &err), &err);
        free(path);
    }
    if (spec_config(worker->spec)->log_file)
        note(context, log_file_empty(spec_config(worker->spec)->log_file, &err), &err);
}

void log_verbs_flush(const struct request *request)
{
    struct selection selection;
    struct outcome outcome = {0};

    if (selector_resolve(request->daemon, json_get_array(request->args, "selectors"), &selection,
                         &outcome.err) == -1) {
        control_refuse(request->connection, request->id, outcome.err.text);
        return;
    }
    for (size_t i = 0; i < selection.count; i++) {
        const struct selected *selected = &selection.items[i];
        if (selected->slot)
            flush_worker(selected->slot->current, &outcome);
        else
            app_each_worker(selected->app, flush_worker, &outcome);
    }
    free(selection.items);
    answer(request, &outcome);
}

void log_verbs_reopen(const struct request *request)
{
    struct outcome outcome = {0};
    struct err err;
    note(&outcome, log_file_reopen_all(&err), &err);
    answer(request, &outcome);
}
