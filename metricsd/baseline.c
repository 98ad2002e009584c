// The writer of gateway workers writes the column: so one reader understands all of them.
#include "baseline.h"

#include <string.h>

#include "common/metrics_writer.h"

// Series are sorted by their labels, so a name is mostly the one before.
struct names {
    struct metrics_writer *writer;
    const char *text;
    uint32_t name;
};

static uint32_t name_of(struct names *names, const char *text)
{
    if (names->text != text) {
        names->text = text;
        names->name = metrics_writer_name(names->writer, text, strlen(text));
    }
    return names->name;
}

static void write_family(struct metrics_writer *writer, const struct merge *merge,
                         enum metric_family family)
{
    struct series_range range = merge_family(merge, family);
    struct names names[2] = {{.writer = writer}, {.writer = writer}};
    for (size_t i = 0; i < range.count; i++) {
        const struct series *series = range.items[i];
        struct metric_key key = {.family = series->family,
                                 .first = series->first,
                                 .second = series->second,
                                 .bound = series->bound};
        for (unsigned label = 0; label < 2; label++)
            if (series->label[label][0] != '\0')
                key.name[label] = name_of(&names[label], series->label[label]);
        if (series->value > 0)
            metric_add(metrics_writer_cell(writer, &key), series->value);
    }
}

void baseline_set(struct metrics_page *page, struct merge *merge, uint64_t now_wall_ms)
{
    uint32_t unused = atomic_load_explicit(&page->baseline, memory_order_relaxed) == 1 ? 1 : 0;
    struct metrics_column *column = &page->baseline_column[unused];
    struct metrics_writer writer;
    atomic_store_explicit(&column->names_used, 0, memory_order_relaxed); // it begins anew
    metrics_writer_init(&writer, column);
    for (unsigned family = METRIC_NONE + 1; family < METRIC_FAMILIES; family++)
        if (family != METRIC_OVERFLOWS) // which the writer counts itself
            write_family(&writer, merge, (enum metric_family)family);
    metrics_writer_fini(&writer);
    page->baseline_ms[unused] = now_wall_ms;
    atomic_store_explicit(&page->baseline, unused + 1, memory_order_release);
    merge_read_baseline(merge);
}
