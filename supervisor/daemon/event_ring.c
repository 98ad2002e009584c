// Writes and finds records. Who keeps the memory and what is told of it is events.c's.

#include "event_ring.h"

void event_ring_format(struct event_ring *ring)
{
    ring->version = EVENT_RING_VERSION;
    ring->records = EVENT_RING_RECORDS;
    ring->magic = EVENT_RING_MAGIC;
}

static struct event_record *record_of(struct event_ring *ring, uint64_t number)
{
    return &ring->record[(number - 1) % EVENT_RING_RECORDS];
}

int event_ring_recover(struct event_ring *ring, struct err *err)
{
    if (ring->magic != EVENT_RING_MAGIC || ring->version != EVENT_RING_VERSION ||
        ring->records != EVENT_RING_RECORDS)
        return err_set(err, "events page: another version or damaged");
    // It was killed between the record, which is whole, and the count of it.
    uint64_t next = atomic_load(&ring->count) + 1;
    if (atomic_load(&record_of(ring, next)->number) == next)
        atomic_store(&ring->count, next);
    return 0;
}

void event_ring_append(struct event_ring *ring, const struct event *event)
{
    uint64_t number = atomic_load(&ring->count) + 1;
    struct event_record *record = record_of(ring, number);

    atomic_store(&record->number, 0);
    atomic_thread_fence(memory_order_seq_cst); // before any of the rest
    record->event = *event;
    atomic_store(&record->number, number);
    atomic_store(&ring->count, number);
}

uint64_t event_ring_last(const struct event_ring *ring)
{
    return atomic_load(&ring->count);
}

bool event_ring_get(const struct event_ring *ring, uint64_t number, struct event *event)
{
    const struct event_record *record = record_of((struct event_ring *)ring, number);
    if (number == 0 || atomic_load(&record->number) != number)
        return false;
    *event = record->event;
    return true;
}
