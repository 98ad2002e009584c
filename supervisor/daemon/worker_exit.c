// Puts the end of a process into words, and asks restart_policy what it leads to.

#include "worker_exit.h"

#include <stdio.h>
#include <string.h>

#include "app.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/signal_name.h"
#include "events.h"

// We ended it without being asked to, because something was wrong with it.
static bool was_forced(const struct worker *worker)
{
    return worker->state == WORKER_STOPPING && !worker->stop_wanted;
}

// --- what is noted -----------------------------------------------------------------------------

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
    bool ours = worker->stop_wanted || was_forced(worker);
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
    if (!was_forced(worker)) // what led here says more
        describe(worker, status, uptime_ms);
}

// --- what it leads to ---------------------------------------------------------------------------

static struct restart_policy policy_of(const struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    bool ours = spec_role(worker->spec) != SPEC_APP;
    return (struct restart_policy){
        .autorestart = config->autorestart && !worker->candidate,
        .min_uptime_ms = (uint32_t)config->min_uptime_ms,
        .max_restarts = (int)config->max_restarts,
        .delay_ms = (uint32_t)config->restart_delay_ms,
        .backoff = {.first_ms = (uint32_t)config->exp_backoff_restart_delay_ms,
                    .limit_ms = ours ? 1000 : 15000,
                    .factor_percent = 150},
        .stop_exits = config->stop_exits,
        .ends_storms = !ours, // these are needed, and cost little
        .first_at_once = ours,
    };
}

// One event when it begins and one when it is over: what happens in it is all the same.
static void tell_of_storm(const struct worker *worker, bool before)
{
    bool storm = worker->slot->history.storm;
    if (storm == before)
        return;
    if (storm) {
        log_error("%s: %d restarts in an hour, from now on one a minute", worker->label,
                  RESTART_STORM);
        events_note_worker(worker, "process", "storm", "%d restarts in an hour", RESTART_STORM);
    } else {
        log_info("%s: the restarts have calmed down", worker->label);
        events_note_worker(worker, "process", "calm", "%s", "");
    }
}

enum worker_event worker_exit_judge(struct worker *worker, int status, uint64_t uptime_ms)
{
    struct restart_policy policy = policy_of(worker);
    struct restart_exit exit = {.status = status,
                                .now_ms = clock_mono_ms(),
                                .uptime_ms = uptime_ms,
                                .was_ready = worker->was_ready,
                                .stop_wanted = worker->stop_wanted,
                                .again_wanted = worker->again_wanted,
                                .forced = was_forced(worker)};
    uint32_t delay_ms;
    bool storm = worker->slot->history.storm;
    enum restart_verdict verdict =
        restart_decide(&policy, &worker->slot->history, &exit, &delay_ms);

    tell_of_storm(worker, storm);
    switch (verdict) {
    case RESTART_NO:
        return WORKER_EV_LEFT_STOP;
    case RESTART_NOW:
        return WORKER_EV_LEFT_AGAIN;
    case RESTART_LATER:
        worker_wait(worker, exit.now_ms + delay_ms);
        log_warn("%s: restart in %u ms (%s)", worker->label, delay_ms, worker->reason);
        if (!worker->slot->history.storm)
            events_note_worker(worker, "process", "restart", "in %u ms", delay_ms);
        return WORKER_EV_LEFT_RETRY;
    case RESTART_GIVE_UP:
        log_error("%s: given up after %d exits in a row (%s)", worker->label,
                  worker->slot->history.unstable, worker->reason);
        return WORKER_EV_LEFT_GIVE_UP;
    }
    return WORKER_EV_LEFT_STOP;
}
