// Watches the gateway's slots every 50 ms. A worker that sleeps because nothing happens is healthy:
// its heartbeat only has to move while connections wait. Without a gateway there is no tick: who
// runs apps only shall not be woken twenty times a second.

#include "guard.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "control.h"
#include "listeners.h"
#include "operation.h"

enum {
    TICK_MS = 50,
    UNREADY_MS = 200,
    ALONE_MS = 700,  // hung, and connections wait
    HUNG_MS = 10000, // hung, while a neighbour does its work
};

struct guard {
    struct daemon *daemon;
    uv_timer_t timer;
};

static bool queue_waiting(const struct slot *slot)
{
    for (size_t i = 0; i < slot->socket_count; i++) {
        if (slot_queue_waiting(slot->sockets[i].fd))
            return true;
    }
    return false;
}

static bool accepts(const struct guard *guard, const struct slot *slot, uint64_t now)
{
    const struct worker *worker = slot->current;
    if (worker->state != WORKER_ONLINE || worker->column == WORKER_NO_COLUMN || slot->retiring)
        return false;
    uint64_t heartbeat = atomic_load(&guard->daemon->page->column[worker->column].heartbeat_ms);
    if (heartbeat <= now && now - heartbeat < UNREADY_MS)
        return true;
    // While a neighbour empties the queue, only a sign of life tells that it is back.
    return slot->taken_by ? heartbeat > slot->taken_since_ms : !queue_waiting(slot);
}

static struct json_object *slot_message(const char *command, const struct slot *slot, size_t socket)
{
    struct json_object *message = json_object_new_object();
    struct json_object *args = json_object_new_object();
    char name[48];
    snprintf(name, sizeof name, "slot.%u.%zu", slot->index, socket);
    json_object_object_add(args, "name", json_object_new_string(name));
    json_object_object_add(message, "cmd", json_object_new_string(command));
    json_object_object_add(message, "args", args);
    return message;
}

static struct slot *find_neighbour(const struct guard *guard, const struct app *gateway,
                                   const struct slot *slot, uint64_t now)
{
    for (size_t i = 1; i < gateway->slot_count; i++) {
        struct slot *other = gateway->slots[(slot->index + i) % gateway->slot_count];
        if (other->current->link && accepts(guard, other, now))
            return other;
    }
    return NULL;
}

static void take(const struct guard *guard, const struct app *gateway, struct slot *slot,
                 uint64_t now)
{
    struct slot *neighbour = find_neighbour(guard, gateway, slot, now);
    if (!neighbour)
        return;
    for (size_t i = 0; i < slot->socket_count; i++) {
        if (!control_send_fd(neighbour->current->link, slot_message("slot_take", slot, i),
                             slot->sockets[i].fd))
            return;
    }
    slot->taken_by = neighbour;
    slot->taken_by_pid = neighbour->current->pid;
    slot->taken_since_ms = now;
    log_warn("%s: does not accept, %s takes its connections", slot->current->label,
             neighbour->current->label);
}

static void give_back(struct slot *slot)
{
    struct worker *neighbour = slot->taken_by->current;
    if (neighbour->pid == slot->taken_by_pid && neighbour->link) {
        for (size_t i = 0; i < slot->socket_count; i++)
            control_send(neighbour->link, slot_message("slot_give", slot, i));
    }
    slot->taken_by = NULL;
    log_info("%s: accepts its own connections again", slot->current->label);
}

// A worker that does not start again by itself is replaced: its process has to go for that.
static void replace_hung(struct slot *slot, uint64_t now)
{
    // A neighbour that takes the sockets and does not accept is no help.
    uint64_t limit_ms = slot->taken_by && !queue_waiting(slot) ? HUNG_MS : ALONE_MS;
    if (slot->current->state != WORKER_ONLINE || slot->retiring)
        slot->hung_since_ms = 0;
    else if (slot->hung_since_ms == 0)
        slot->hung_since_ms = now;
    else if (now - slot->hung_since_ms >= limit_ms)
        worker_kill(slot->current, RESTART_HUNG, "its loop stands still");
}

static void watch_slot(const struct guard *guard, const struct app *gateway, struct slot *slot,
                       uint64_t now)
{
    if (slot->taken_by && slot->taken_by->current->pid != slot->taken_by_pid)
        slot->taken_by = NULL;
    if (accepts(guard, slot, now)) {
        slot->unready_since_ms = slot->hung_since_ms = 0;
        if (slot->taken_by)
            give_back(slot);
        return;
    }
    if (slot->unready_since_ms == 0)
        slot->unready_since_ms = now;
    if (!slot->taken_by && now - slot->unready_since_ms >= UNREADY_MS)
        take(guard, gateway, slot, now);
    replace_hung(slot, now);
}

static void on_tick(uv_timer_t *timer)
{
    struct guard *guard = timer->data;
    struct app *gateway = daemon_gateway(guard->daemon);
    uint64_t now = clock_mono_ms();
    if (!gateway) {
        uv_timer_stop(timer);
        return;
    }
    for (size_t i = 0; i < gateway->slot_count; i++)
        watch_slot(guard, gateway, gateway->slots[i], now);
    app_remove_retired(gateway);
    operations_check(guard->daemon->operations); // what they wait for may be a time
}

struct guard *guard_new(struct daemon *daemon)
{
    struct guard *guard = mem_zalloc(1, sizeof *guard);
    guard->daemon = daemon;
    uv_timer_init(daemon->loop, &guard->timer);
    guard->timer.data = guard;
    return guard;
}

void guard_wake(struct guard *guard)
{
    uv_timer_start(&guard->timer, on_tick, TICK_MS, TICK_MS);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void guard_stop(struct guard *guard)
{
    uv_close((uv_handle_t *)&guard->timer, on_closed);
}
