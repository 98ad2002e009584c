// Rates are of what came since the step before, so the first step after a start has none: a gap of
// a second in the history.
#include "recorder.h"

#include <math.h>
#include <string.h>

#include "common/state_page.h"
#include "history.h"
#include "windows.h"

// A step under way.
struct step {
    struct recorder *recorder;
    struct history *history;
    uint64_t wall_s;
    double seconds; // since the one before; NAN: there was none
};

static void put(const struct step *step, const char *name, double value)
{
    history_put(step->history, step->wall_s, name, NULL, NULL, value);
}

static double rate(const struct step *step, uint64_t now, uint64_t before)
{
    return now >= before ? (double)(now - before) / step->seconds : NAN;
}

// --- requests -----------------------------------------------------------------------------------

static void put_durations(const struct step *step, const struct totals *totals)
{
    const struct totals *before = &step->recorder->before;
    uint64_t counts[HISTOGRAM_BUCKETS];
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        counts[i] = totals->duration[i] > before->duration[i]
                        ? totals->duration[i] - before->duration[i]
                        : 0;
    if (isnan(step->seconds) || histogram_count(counts) == 0)
        return;
    put(step, "response_time_p50_ms", histogram_quantile_us(counts, 0.5) / 1000);
    put(step, "response_time_p95_ms", histogram_quantile_us(counts, 0.95) / 1000);
    put(step, "response_time_p99_ms", histogram_quantile_us(counts, 0.99) / 1000);
}

static void put_hit_rate(const struct step *step, const struct totals *totals)
{
    const struct totals *before = &step->recorder->before;
    double hits = rate(step, totals_hits(totals), totals_hits(before));
    double misses = rate(step, totals->cache[CACHE_MISS], before->cache[CACHE_MISS]);
    if (hits + misses > 0)
        put(step, "cache_hit_rate", 100 * hits / (hits + misses));
}

static void put_requests(const struct step *step, const struct totals *totals)
{
    const struct totals *before = &step->recorder->before;
    put(step, "requests_per_second", rate(step, totals->requests, before->requests));
    put(step, "errors_per_second",
        rate(step, totals_of_class(totals, 5), totals_of_class(before, 5)));
    put_durations(step, totals);
    put_hit_rate(step, totals);
}

static uint64_t exchange_upstream(struct recorder *recorder, const char *name, uint64_t requests)
{
    size_t at = 0;
    while (at < recorder->upstream_count && recorder->upstreams[at].name != name)
        at++;
    if (at == RECORDER_UPSTREAMS)
        return UINT64_MAX;
    uint64_t before = at < recorder->upstream_count ? recorder->upstreams[at].requests : 0;
    if (at == recorder->upstream_count)
        recorder->upstreams[recorder->upstream_count++].name = name;
    recorder->upstreams[at].requests = requests;
    return before;
}

static void put_upstreams(const struct step *step)
{
    struct series_range range =
        merge_family(step->recorder->facts->merge, METRIC_UPSTREAM_REQUESTS);
    for (size_t i = 0; i < range.count;) {
        const char *name = range.items[i]->label[0];
        uint64_t requests = 0;
        for (; i < range.count && range.items[i]->label[0] == name; i++)
            requests += range.items[i]->value;
        uint64_t before = exchange_upstream(step->recorder, name, requests);
        history_put(step->history, step->wall_s, "upstream_requests_per_second", "upstream", name,
                    rate(step, requests, before));
    }
}

// --- processes ----------------------------------------------------------------------------------

static void put_workers(const struct step *step)
{
    const struct facts *facts = step->recorder->facts;
    double connections = 0, in_flight = 0;
    for (size_t i = 0; i < facts->processes.count; i++) {
        const struct state_column *column = facts_worker(facts, &facts->processes.items[i]);
        if (!column)
            continue;
        connections += atomic_load_explicit(&column->connections, memory_order_relaxed);
        in_flight += atomic_load_explicit(&column->in_flight, memory_order_relaxed);
    }
    put(step, "connections", connections);
    put(step, "requests_in_flight", in_flight);
}

static bool is_first_of_app(const struct processes *processes, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(processes->items[i].app, processes->items[at].app) == 0)
            return false;
    return true;
}

// The sums over the processes of an app, of which this is the first.
static void put_app(const struct step *step, const struct processes *processes, size_t first)
{
    const char *app = processes->items[first].app;
    double cpu = NAN, memory = NAN;
    for (size_t i = first; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (strcmp(process->app, app) != 0 || process->pid == 0 || !process->is_sampled)
            continue;
        memory = (isnan(memory) ? 0 : memory) + (double)process_memory(process);
        if (!isnan(process->cpu_share))
            cpu = (isnan(cpu) ? 0 : cpu) + 100 * process->cpu_share;
    }
    history_put(step->history, step->wall_s, "cpu_percent", "app", app, cpu);
    history_put(step->history, step->wall_s, "memory_bytes", "app", app, memory);
}

// --- steps --------------------------------------------------------------------------------------

void recorder_init(struct recorder *recorder, const struct facts *facts)
{
    memset(recorder, 0, sizeof *recorder);
    recorder->facts = facts;
}

void recorder_step(struct recorder *recorder, uint64_t mono_ms, uint64_t wall_s)
{
    const struct facts *facts = recorder->facts;
    struct step step = {recorder, facts->history, wall_s, NAN};
    struct totals totals;
    if (recorder->has_before && mono_ms > recorder->before_ms)
        step.seconds = (double)(mono_ms - recorder->before_ms) / 1000;
    totals_read(&totals, facts->merge, TOTALS_EVER);
    windows_take(facts->windows, &totals, mono_ms);
    history_begin(step.history, wall_s);
    put_requests(&step, &totals);
    put_workers(&step);
    put_upstreams(&step);
    for (size_t i = 0; i < facts->processes.count; i++)
        if (is_first_of_app(&facts->processes, i))
            put_app(&step, &facts->processes, i);
    history_end(step.history, wall_s);
    recorder->before = totals;
    recorder->before_ms = mono_ms;
    recorder->has_before = true;
}
