// A ring of snapshots. The one that is overwritten says "none" until it is whole.
#include "windows.h"

#include <stddef.h>
#include <string.h>

enum { GAP_MS = 3 * WINDOWS_STEP_MS }; // longer than that between two: nobody was there

static uint64_t time_of(const struct window_snapshot *snapshot)
{
    return atomic_load_explicit(&snapshot->mono_ms, memory_order_acquire);
}

static const struct window_snapshot *snapshot_back(const struct windows *windows, uint64_t back)
{
    uint64_t taken = atomic_load_explicit(&windows->taken, memory_order_acquire);
    return &windows->snapshot[(taken - 1 - back) % WINDOWS_SNAPSHOTS];
}

void windows_take(struct windows *windows, const struct totals *totals, uint64_t now_ms)
{
    uint64_t newest_ms = time_of(snapshot_back(windows, 0));
    if (newest_ms != 0 && newest_ms <= now_ms && now_ms - newest_ms < WINDOWS_STEP_MS)
        return;
    uint64_t taken = atomic_load_explicit(&windows->taken, memory_order_relaxed);
    struct window_snapshot *snapshot = &windows->snapshot[taken % WINDOWS_SNAPSHOTS];
    atomic_store_explicit(&snapshot->mono_ms, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    snapshot->requests = totals->requests;
    snapshot->errors = totals_of_class(totals, 5);
    memcpy(snapshot->duration, totals->duration, sizeof snapshot->duration);
    atomic_store_explicit(&snapshot->mono_ms, now_ms, memory_order_release);
    atomic_store_explicit(&windows->taken, taken + 1, memory_order_release);
}

// The newest snapshot that is at least so old, or the oldest one since a gap; NULL: none.
static const struct window_snapshot *find_begin(const struct windows *windows, uint64_t now_ms,
                                                uint64_t length_ms)
{
    const struct window_snapshot *begin = NULL;
    uint64_t after_ms = now_ms;
    for (uint64_t back = 0; back < WINDOWS_SNAPSHOTS; back++) {
        const struct window_snapshot *snapshot = snapshot_back(windows, back);
        uint64_t at_ms = time_of(snapshot);
        if (at_ms == 0 || at_ms > after_ms || after_ms - at_ms > GAP_MS)
            break;
        begin = snapshot;
        if (now_ms - at_ms >= length_ms)
            break;
        after_ms = at_ms;
    }
    return begin;
}

// A column that was damaged can make a sum go back.
static uint64_t difference(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void windows_read(const struct windows *windows, const struct totals *totals, uint64_t now_ms,
                  uint64_t length_ms, struct window *window)
{
    const struct window_snapshot *begin = find_begin(windows, now_ms, length_ms);
    memset(window, 0, sizeof *window);
    if (!begin)
        return;
    window->length_ms = now_ms - time_of(begin);
    window->requests = difference(totals->requests, begin->requests);
    window->errors = difference(totals_of_class(totals, 5), begin->errors);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        window->duration[i] = difference(totals->duration[i], begin->duration[i]);
}
