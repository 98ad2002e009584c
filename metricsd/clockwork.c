// Two timers. Seconds are those of the wall clock, so that the history has one row for each.
// Samples are spread over time, since reading /proc of a hundred processes at once would hold up
// whoever asks meanwhile.
#include "clockwork.h"

#include "common/clock.h"

enum {
    SAMPLE_MS = 5000,        // between two of one process
    SAMPLE_STEP_MIN_MS = 10, // between two processes
    AFTER_SECOND_MS = 5,     // timers may be early by one
};

static void on_second(uv_timer_t *timer);

static void wait_for_second(struct clockwork *clockwork)
{
    uint64_t into_ms = clock_wall_ms() % 1000;
    uv_timer_start(&clockwork->second, on_second, 1000 - into_ms + AFTER_SECOND_MS, 0);
}

static void look_at_columns(struct clockwork *clockwork)
{
    merge_read(clockwork->facts->merge);
    recorder_step(&clockwork->recorder, clock_mono_ms(), clock_wall_ms() / 1000);
}

static void on_second(uv_timer_t *timer)
{
    struct clockwork *clockwork = timer->data;
    look_at_columns(clockwork);
    wait_for_second(clockwork);
}

static uint64_t sample_step_ms(const struct processes *processes)
{
    uint64_t step_ms = SAMPLE_MS / (processes->count + 1);
    return step_ms < SAMPLE_STEP_MIN_MS || processes_has_new(processes) ? SAMPLE_STEP_MIN_MS
                                                                        : step_ms;
}

static void on_sample(uv_timer_t *timer)
{
    struct clockwork *clockwork = timer->data;
    struct processes *processes = &clockwork->facts->processes;
    struct process *process = processes_next(processes);
    struct procfs_sample sample;
    if (process && procfs_read(process->pid, &sample) == 0)
        process_enter(process, &sample, clock_mono_ms());
    uv_timer_start(timer, on_sample, sample_step_ms(processes), 0);
}

void clockwork_sample_now(struct clockwork *clockwork)
{
    if (processes_has_new(&clockwork->facts->processes))
        uv_timer_start(&clockwork->sample, on_sample, 0, 0);
}

void clockwork_start(struct clockwork *clockwork, uv_loop_t *loop, struct facts *facts)
{
    clockwork->facts = facts;
    recorder_init(&clockwork->recorder, facts);
    uv_timer_init(loop, &clockwork->second);
    uv_timer_init(loop, &clockwork->sample);
    clockwork->second.data = clockwork->sample.data = clockwork;
    look_at_columns(clockwork);
    wait_for_second(clockwork);
    uv_timer_start(&clockwork->sample, on_sample, 0, 0);
}

void clockwork_stop(struct clockwork *clockwork)
{
    uv_close((uv_handle_t *)&clockwork->second, NULL);
    uv_close((uv_handle_t *)&clockwork->sample, NULL);
}
