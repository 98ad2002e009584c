// Puts the end of a process into words.

#include "worker_exit.h"

#include <stdio.h>
#include <string.h>

#include "app.h"
#include "common/clock.h"
#include "common/signal_name.h"

bool worker_exit_was_forced(const struct worker *worker)
{
    return worker->state == WORKER_STOPPING && !worker->stop_wanted;
}

static const char *cause_of(const struct worker *worker, int status)
{
    if (process_start_error(worker->process))
        return "not_started";
    if (worker->restart_reason != RESTART_NO_REASON)
        return restart_reason_name(worker->restart_reason);
    return worker->stop_wanted ? "stop" : restart_reason_name(restart_reason_of_exit(status));
}

// Before the worker's reason becomes how it ended.
static void remember(const struct worker *worker, int status, uint64_t uptime_ms)
{
    char lines[EXIT_LINES_SIZE];
    bool ours = worker->stop_wanted || worker_exit_was_forced(worker);
    struct exit_record record = {
        .pid = worker->pid,
        .wall_ms = clock_wall_ms(),
        .uptime_ms = uptime_ms,
        .lines = lines,
    };
    const char *error = process_start_error(worker->process);
    const char *why = error ? error : ours ? worker->reason : "";
    exit_record_set_status(&record, error ? PROCESS_STATUS_UNKNOWN : status);
    snprintf(record.cause, sizeof record.cause, "%s", cause_of(worker, status));
    snprintf(record.why, sizeof record.why, "%.*s", EXIT_WHY_SIZE - 1, why);
    process_last_lines(worker->process, lines, sizeof lines);
    exit_history_add(&worker->slot->exits, &record);
}

static void describe(struct worker *worker, int status, uint64_t uptime_ms)
{
    char how[96], lived[32];
    const char *last = process_last_line(worker->process);
    bool tell = *last && !worker->stop_wanted;

    clock_format_duration(uptime_ms, lived, sizeof lived);
    if (worker->exit_signal) {
        char name[SIGNAL_NAME_SIZE];
        signal_name_format(worker->exit_signal, name);
        snprintf(how, sizeof how, "killed by %s after %s", name, lived);
    } else if (status == PROCESS_STATUS_UNKNOWN) {
        snprintf(how, sizeof how, "ended, and nobody saw how");
    } else {
        snprintf(how, sizeof how, "exited %d after %s", worker->exit_code, lived);
    }
    snprintf(worker->reason, sizeof worker->reason, "%s%s%s", how, tell ? ": " : "",
             tell ? last : "");
}

void worker_exit_note(struct worker *worker, int status, uint64_t uptime_ms)
{
    struct exit_record ended;

    remember(worker, status, uptime_ms);
    if (process_start_error(worker->process)) {
        snprintf(worker->reason, sizeof worker->reason, "%s", process_start_error(worker->process));
        return;
    }
    exit_record_set_status(&ended, status);
    worker->exit_code = ended.code;
    worker->exit_signal = ended.signal;
    if (!worker_exit_was_forced(worker)) // what led here says more
        describe(worker, status, uptime_ms);
}
