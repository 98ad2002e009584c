// A column of the metrics page whose bytes are anything, beside one that is sound: no crash,
// nothing read outside of it, and what is written is well-formed whatever stands there: every
// series once, all sums of requests alike, JSON that is JSON.
//
// An input is how many cells (255: more than there can be) and how many bytes of names the column
// says it has, what its rings of errors say, then its names, and cells, a key and a byte of the
// value each. After a 255 in place of a family the cells so far are read, and the rest is appended
// to them or, at a 254, begins anew.
//
// covers: metricsd/merge.c metricsd/totals.c metricsd/scrape.c metricsd/routes_view.c
// covers: metricsd/errors_view.c metricsd/baseline.c
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/metrics_writer.h"
#include "common/state_page.h"
#include "history.h"
#include "scrape.h"
#include "totals.h"
#include "views.h"
#include "windows.h"

enum {
    CELL_BYTES = 11,
    ALL_CELLS = 255,
    LOOKS_MAX = 3,
    FAMILY_READ = 255,
    FAMILY_ANEW = 254,
    NOW_MS = 100000
};

struct input {
    const uint8_t *at, *end;
};

static struct facts facts;
static struct state_page state;
static struct windows windows;
static struct history history;

static void require(bool condition)
{
    if (!condition)
        abort();
}

static uint32_t take(struct input *input, unsigned bytes)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < bytes && input->at < input->end; i++)
        number |= (uint32_t)*input->at++ << (8 * i);
    return number;
}

// --- the page -----------------------------------------------------------------------------------

static struct metrics_page *map_page(void)
{
    struct err err;
    int fd = metrics_page_create(1, &err);
    struct metrics_page *page = fd == -1 ? NULL : metrics_page_map(fd, &err);
    require(page != NULL);
    close(fd);
    return page;
}

// The second column is a worker's that knows what it does.
static void count_soundly(struct metrics_column *column)
{
    struct metrics_writer writer;
    metrics_writer_init(&writer, column);
    struct metric_key key = {.name = {metrics_writer_name(&writer, "api", 3)},
                             .family = METRIC_REQUESTS,
                             .first = METHOD_GET,
                             .second = 200};
    metric_add(metrics_writer_cell(&writer, &key), 7);
    metrics_writer_fini(&writer);
}

static void begin(struct input *input, struct metrics_column *column)
{
    uint32_t cells = take(input, 1);
    column->cell_count = cells == ALL_CELLS ? UINT32_MAX : cells;
    column->names_used = take(input, 3);
    for (unsigned kind = 0; kind < ERRORS_KINDS; kind++) {
        column->errors[kind].begun = take(input, 1);
        column->errors[kind].written = take(input, 1);
        memset(column->errors[kind].slot, (int)take(input, 1), sizeof column->errors[kind].slot);
    }
    size_t names = take(input, 1);
    for (size_t i = 0; i < names; i++)
        column->names[1 + i] = (char)take(input, 1);
}

// false: now they are read.
static bool put_cell(struct input *input, struct metrics_column *column, uint32_t *at)
{
    uint32_t family = take(input, 1);
    if (family == FAMILY_ANEW)
        *at = 0;
    if (family >= FAMILY_ANEW)
        return false;
    struct metric_cell *cell = &column->cells[*at % METRICS_CELLS];
    cell->key = (struct metric_key){.name = {take(input, 2), take(input, 2)},
                                    .family = (uint16_t)family,
                                    .first = (uint16_t)take(input, 2),
                                    .second = (uint16_t)take(input, 2),
                                    .bound = (uint16_t)take(input, 1)};
    cell->value = take(input, 1);
    if (column->cell_count <= *at)
        column->cell_count = *at + 1;
    ++*at;
    return true;
}

// --- what must hold -----------------------------------------------------------------------------

static void check_totals(void)
{
    struct totals totals;
    uint64_t by_method = 0, by_status = 0;
    totals_read(&totals, facts.merge, TOTALS_EVER);
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        by_method += totals.by_method[i];
    for (unsigned i = 0; i < TOTALS_STATUSES; i++)
        by_status += totals.by_status[i];
    require(totals.requests >= 7 && totals.requests == by_method && by_method == by_status);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// A sample ends in a blank and a number; what is before it stands once.
static void check_scrape(enum exposition_format format)
{
    struct buf out = BUF_INIT;
    char **samples = NULL, *line;
    size_t count = 0, length;
    scrape_write(&facts, NOW_MS, format, &out);
    while (buf_take_line(&out, &line, &length)) {
        require(strlen(line) == length);
        if (line[0] == '#')
            continue;
        char *blank = strrchr(line, ' ');
        require(blank != NULL && strspn(blank, " 0123456789.+eNaIf-") == strlen(blank));
        *blank = '\0';
        samples = mem_realloc(samples, (count + 1) * sizeof *samples);
        samples[count++] = mem_strdup(line);
    }
    require(out.length == 0 && count > 0);
    qsort(samples, count, sizeof *samples, compare);
    for (size_t i = 0; i < count; i++)
        require(i == 0 || strcmp(samples[i - 1], samples[i]) != 0);
    while (count > 0)
        free(samples[--count]);
    free(samples);
    buf_free(&out);
}

static void check_document(struct buf *out)
{
    struct err err;
    require(out->length > 0 && out->data[out->length - 1] == '\n');
    struct json_object *document = json_parse_message(out->data, out->length - 1, &err);
    require(document != NULL);
    json_object_put(document);
    buf_free(out);
}

static void check_all(void)
{
    struct moment now = {NOW_MS, NOW_MS};
    struct buf out = BUF_INIT;
    merge_read(facts.merge);
    check_totals();
    check_scrape(EXPOSITION_TEXT);
    check_scrape(EXPOSITION_OPENMETRICS);
    view_stats(&facts, now, &out);
    check_document(&out);
    view_performance(&facts, now, &out);
    check_document(&out);
    require(view_errors(&facts, "class=all", &out) == 0);
    check_document(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct metrics_page *page;
    struct input input = {data, data + size};
    if (page == NULL)
        page = map_page();
    struct metrics_column *column = &page->column[0];
    memset(column->cells, 0, (size / CELL_BYTES + 1) * sizeof *column->cells);
    memset(column->names, 0, 2 * (UINT8_MAX + 1));
    page->opened[0] = page->opened[1] = 1;
    page->baseline = 0;
    count_soundly(&page->column[1]);
    page->column[1].cells[1].value = 7;
    facts = (struct facts){.page = page, .state = &state, .windows = &windows, .history = &history};
    facts.merge = merge_new(page);
    begin(&input, column);
    unsigned looks = 0;
    for (uint32_t at = 0; input.at < input.end;)
        if (!put_cell(&input, column, &at) && looks++ < LOOKS_MAX)
            check_all();
    check_all();
    baseline_set(page, facts.merge, 1);
    check_all();
    merge_free(facts.merge);
    return 0;
}
