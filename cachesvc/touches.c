// A column is foreign memory: its counter may jump, and its hashes may be anything; a touch of a
// key that is not there, or of another one, does no harm.
#include "touches.h"

static void take_column(struct touches *touches, size_t column, struct store *store)
{
    const struct state_column *from = &touches->page->column[column];
    uint32_t count = atomic_load_explicit(&from->touch_count, memory_order_acquire);
    uint32_t new = count - touches->seen[column];
    if (new > STATE_TOUCHES)
        new = STATE_TOUCHES;
    touches->seen[column] = count;
    for (uint32_t i = count - new; i != count; i++)
        store_touch(store,
                    atomic_load_explicit(&from->touched[i % STATE_TOUCHES], memory_order_relaxed));
}

void touches_take(struct touches *touches, struct store *store)
{
    for (size_t i = 0; touches->page && i < STATE_COLUMNS; i++)
        take_column(touches, i, store);
}
