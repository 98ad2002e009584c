// Small questions about what lies in the pages. Numbers in them are the workers': they are shown,
// never relied on.
#include "facts.h"

#include "common/breaker.h"
#include "common/segment.h"
#include "common/state_page.h"

const struct state_column *facts_worker(const struct facts *facts, const struct process *process)
{
    if (!process_has_role(process, "gateway") || process->pid == 0 || process->column == -1)
        return NULL;
    return &facts->state->column[process->column];
}

// Workers that drain are no longer in the list of processes, so whoever has counted is asked. A
// column that nobody ever had stays untouched, or reading it would make memory of it.
uint64_t facts_in_flight(const struct facts *facts, const struct endpoint *endpoint)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < STATE_COLUMNS; i++)
        if (atomic_load_explicit(&facts->page->opened[i], memory_order_relaxed) != 0)
            sum += atomic_load_explicit(
                &facts->state->column[i].endpoint_in_flight[endpoint->index], memory_order_relaxed);
    return sum;
}

const struct process *facts_cachesvc(const struct facts *facts)
{
    for (size_t i = 0; i < facts->processes.count; i++)
        if (process_has_role(&facts->processes.items[i], "cachesvc"))
            return &facts->processes.items[i];
    return NULL;
}

// Of a page that we do not understand, or do not have, nothing is told: then the process counts.
bool facts_cache_is_up(const struct facts *facts, uint64_t now_ms)
{
    const struct process *cachesvc = facts_cachesvc(facts);
    return cachesvc && process_is_online(cachesvc) &&
           (!facts->segment || segment_writer_is_alive(facts->segment, now_ms));
}

int facts_redis(const struct facts *facts)
{
    if (!facts->segment)
        return -1;
    uint32_t redis = atomic_load_explicit(&facts->segment->redis, memory_order_relaxed);
    if (redis < SEGMENT_REDIS || redis - SEGMENT_REDIS > BREAKER_OPEN)
        return -1;
    return (int)(redis - SEGMENT_REDIS);
}
