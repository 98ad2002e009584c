// The memory that metricsd inherits, filled by real writers at a test's command: makes the pages,
// says which descriptors they are (the test opens them by /proc/PID/fd), then does what each line
// of its input says and answers with a line "ok".
//
//   request COLUMN ROUTE METHOD STATUS MICROSECONDS BYTES COUNT
//   upstream COLUMN UPSTREAM ENDPOINT STATUS MICROSECONDS
//   failure COLUMN UPSTREAM ENDPOINT NUMBER
//   retry COLUMN UPSTREAM            cache COLUMN ROUTE NUMBER            connection COLUMN
//   error COLUMN KIND STATUS METHOD WALL_MS MICROSECONDS PATH AGENT IP
//   gauges COLUMN CONNECTIONS IN_FLIGHT LAG_US     endpoint COLUMN INDEX IN_FLIGHT
//   take-over COLUMN      as a new process does: goes on with what is in the column
//   damage COLUMN         nothing in it can be told any more
//   segment ITEMS BYTES FREE            redis WORD
//   beat MS               of cachesvc, so long from now; negative: so long ago
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "common/metrics_writer.h"
#include "common/proto.h"
#include "common/segment.h"

enum { CACHE_SIZE = 1 << 20, WORDS_MAX = 12 };

static struct metrics_page *metrics;
static struct state_page *state;
static struct segment_header *cache;
static struct metrics_writer writers[STATE_COLUMNS];

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "metrics_pages: %s\n", what);
    exit(EXIT_FAILURE);
}

static struct metrics_writer *writer_of(const char *column)
{
    unsigned index = (unsigned)atoi(column);
    require(index < STATE_COLUMNS, "no such column");
    struct metrics_writer *writer = &writers[index];
    if (writer->column == NULL) {
        metrics_writer_init(writer, &metrics->column[index]);
        atomic_store(&metrics->opened[index], 1);
    }
    return writer;
}

static void count(struct metrics_writer *writer, enum metric_family family, const char *first_name,
                  const char *second_name, unsigned first, unsigned second, uint64_t amount)
{
    struct metric_key key = {.family = family, .first = first, .second = second};
    if (first_name != NULL)
        key.name[0] = metrics_writer_name(writer, first_name, strlen(first_name));
    if (second_name != NULL)
        key.name[1] = metrics_writer_name(writer, second_name, strlen(second_name));
    metric_add(metrics_writer_cell(writer, &key), amount);
}

static void do_request(char **words)
{
    struct metrics_writer *writer = writer_of(words[1]);
    const char *route = words[2];
    uint64_t us = strtoull(words[5], NULL, 10), many = strtoull(words[7], NULL, 10);
    struct metric_key key = {.name = {metrics_writer_name(writer, route, strlen(route))},
                             .family = METRIC_REQUESTS,
                             .first = (uint16_t)metric_method(words[3], strlen(words[3])),
                             .second = (uint16_t)atoi(words[4]),
                             .bound = (uint16_t)histogram_bound(us)};
    metric_add(metrics_writer_cell(writer, &key), many);
    count(writer, METRIC_DURATION, NULL, NULL, histogram_bucket(us), 0, many);
    count(writer, METRIC_DURATION_SUM, route, NULL, 0, 0, us * many);
    count(writer, METRIC_RESPONSE_BYTES, route, NULL, 0, 0, strtoull(words[6], NULL, 10) * many);
}

static void do_upstream(char **words)
{
    struct metrics_writer *writer = writer_of(words[1]);
    uint64_t us = strtoull(words[5], NULL, 10);
    count(writer, METRIC_UPSTREAM_REQUESTS, words[2], words[3], (unsigned)atoi(words[4]), 0, 1);
    struct metric_key key = {.name = {metrics_writer_name(writer, words[2], strlen(words[2]))},
                             .family = METRIC_UPSTREAM_DURATION,
                             .bound = (uint16_t)histogram_bound(us)};
    metric_add(metrics_writer_cell(writer, &key), 1);
    count(writer, METRIC_UPSTREAM_DURATION_SUM, words[2], NULL, 0, 0, us);
}

static void do_error(char **words)
{
    struct metric_error error = {.wall_ms = strtoull(words[5], NULL, 10),
                                 .duration_us = strtoull(words[6], NULL, 10),
                                 .status = (uint16_t)atoi(words[3]),
                                 .method = (uint8_t)metric_method(words[4], strlen(words[4]))};
    strncpy(error.path, words[7], sizeof error.path);
    strncpy(error.user_agent, words[8], sizeof error.user_agent);
    strncpy(error.ip, words[9], sizeof error.ip);
    metrics_writer_error(writer_of(words[1]), (enum metric_error_kind)atoi(words[2]), &error);
}

static void do_line(char **words)
{
    const char *command = words[0];
    if (strcmp(command, "request") == 0)
        do_request(words);
    else if (strcmp(command, "upstream") == 0)
        do_upstream(words);
    else if (strcmp(command, "failure") == 0)
        count(writer_of(words[1]), METRIC_UPSTREAM_FAILURES, words[2], words[3],
              (unsigned)atoi(words[4]), 0, 1);
    else if (strcmp(command, "retry") == 0)
        count(writer_of(words[1]), METRIC_RETRIES, words[2], NULL, 0, 0, 1);
    else if (strcmp(command, "cache") == 0)
        count(writer_of(words[1]), METRIC_CACHE, words[2], NULL, (unsigned)atoi(words[3]), 0, 1);
    else if (strcmp(command, "connection") == 0)
        count(writer_of(words[1]), METRIC_CONNECTIONS, NULL, NULL, 0, 0, 1);
    else if (strcmp(command, "error") == 0)
        do_error(words);
    else if (strcmp(command, "gauges") == 0) {
        struct state_column *column = &state->column[atoi(words[1])];
        atomic_store(&column->connections, (unsigned)atoi(words[2]));
        atomic_store(&column->in_flight, (unsigned)atoi(words[3]));
        atomic_store(&column->loop_lag_us, (unsigned)atoi(words[4]));
    } else if (strcmp(command, "endpoint") == 0)
        atomic_store(&state->column[atoi(words[1])].endpoint_in_flight[atoi(words[2])],
                     (unsigned)atoi(words[3]));
    else if (strcmp(command, "take-over") == 0) {
        metrics_writer_fini(writer_of(words[1]));
        writer_of(words[1])->column = NULL;
    } else if (strcmp(command, "damage") == 0)
        atomic_store(&metrics->column[atoi(words[1])].names_used, 0);
    else if (strcmp(command, "segment") == 0) {
        cache->items = strtoull(words[1], NULL, 10);
        cache->item_bytes = strtoull(words[2], NULL, 10);
        cache->free_bytes = strtoull(words[3], NULL, 10);
    } else if (strcmp(command, "beat") == 0)
        segment_beat(cache, clock_mono_ms() + (uint64_t)strtoll(words[1], NULL, 10));
    else if (strcmp(command, "redis") == 0)
        atomic_store(&cache->redis, (unsigned)atoi(words[1]));
    else
        require(false, command);
}

static size_t split(char *line, char **words)
{
    size_t length = 0;
    for (char *word = strtok(line, " \n"); word != NULL && length < WORDS_MAX;
         word = strtok(NULL, " \n"))
        words[length++] = word;
    return length;
}

static int make_memory(const char *name, off_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    require(fd != -1 && ftruncate(fd, size) == 0, name);
    return fd;
}

int main(void)
{
    static char line[65536];
    struct err err;
    int metrics_fd = metrics_page_create(clock_wall_ms(), &err);
    int state_fd = state_page_create(&err);
    int history_fd = make_memory("history", PROTO_HISTORY_SIZE);
    int cache_fd = make_memory("cache", CACHE_SIZE);
    require(metrics_fd != -1 && state_fd != -1, "pages");
    metrics = metrics_page_map(metrics_fd, &err);
    state = state_page_map(state_fd, &err);
    cache = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, cache_fd, 0);
    require(metrics != NULL && state != NULL && cache != MAP_FAILED, "pages");
    require(segment_format(cache, CACHE_SIZE, &err) == 0, "segment");
    segment_publish(cache);
    printf("%d %d %d %d\n", metrics_fd, state_fd, history_fd, cache_fd);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[WORDS_MAX] = {NULL};
        if (split(line, words) > 0)
            do_line(words);
        puts("ok");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
