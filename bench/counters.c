// What it costs to count: one number whose cell is looked up by its key, among as many cells as a
// gateway with 600 routes has, and one whose cell is at hand. Prints lines of tab-separated fields,
// the first one their names.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/histogram.h"
#include "common/mem.h"
#include "common/metrics_writer.h"

enum { ROUTES = 600, BUCKETS = 40, UPDATES = 20000000, ROUNDS = 5 };

static struct metrics_writer writer;
static uint32_t names[ROUTES];

static struct metric_key key_of(unsigned route, unsigned bucket)
{
    return (struct metric_key){
        .family = METRIC_REQUESTS, .name = {names[route]}, .second = (uint16_t)bucket};
}

static void fill(void)
{
    for (unsigned route = 0; route < ROUTES; route++) {
        char text[16];
        int length = snprintf(text, sizeof text, "route%u", route);
        names[route] = metrics_writer_name(&writer, text, (size_t)length);
        for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
            struct metric_key key = key_of(route, 200 + bucket);
            metrics_writer_cell(&writer, &key);
        }
    }
}

// A cheap sequence that is no pattern for the processor.
static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double looked_up(void)
{
    uint32_t state = 1;
    double start = now_ns();
    for (unsigned i = 0; i < UPDATES; i++) {
        uint32_t random = next(&state);
        struct metric_key key = key_of(random % ROUTES, 200 + random / ROUTES % BUCKETS);
        metric_add(metrics_writer_cell(&writer, &key), 1);
    }
    return (now_ns() - start) / UPDATES;
}

static double at_hand(void)
{
    static struct metric_cell *cells[ROUTES];
    uint32_t state = 1;
    for (unsigned route = 0; route < ROUTES; route++) {
        struct metric_key key = key_of(route, 200);
        cells[route] = metrics_writer_cell(&writer, &key);
    }
    double start = now_ns();
    for (unsigned i = 0; i < UPDATES; i++)
        metric_add(cells[next(&state) % ROUTES], 1);
    return (now_ns() - start) / UPDATES;
}

static double bucketed(void)
{
    uint32_t state = 1;
    unsigned sum = 0;
    double start = now_ns();
    for (unsigned i = 0; i < UPDATES; i++)
        sum += histogram_bucket(next(&state) % 1000000);
    double each = (now_ns() - start) / UPDATES;
    return sum == 0 ? 0 : each; // so that the sum is wanted
}

static void report(const char *name, double (*measure)(void))
{
    double best = measure();
    for (unsigned i = 1; i < ROUNDS; i++) {
        double each = measure();
        best = each < best ? each : best;
    }
    printf("%s\t%.1f\n", name, best);
}

int main(void)
{
    metrics_writer_init(&writer, mem_zalloc(1, sizeof(struct metrics_column)));
    fill();
    printf("update\tns\n");
    report("cell looked up, at random among 24,000", looked_up);
    report("cell at hand, at random among 600", at_hand);
    report("bucket of a duration", bucketed);
    free(writer.column);
    metrics_writer_fini(&writer);
    return 0;
}
