// A row of commands.
#include "parked.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mirror.h"

struct parked *parked_add(struct parked_row *row, void *owner, const struct resp_arg *args,
                          size_t count, enum parked_state state)
{
    size_t size = sizeof(struct parked) + count * sizeof *args;
    for (size_t i = 0; i < count; ++i)
        size += args[i].length;
    struct parked *parked = mem_alloc(size);
    *parked = (struct parked){.owner = owner, .state = state, .count = count};
    char *bytes = (char *)&parked->args[count];
    for (size_t i = 0; i < count; ++i) {
        parked->args[i] = (struct resp_arg){.bytes = bytes, .length = args[i].length};
        memcpy(bytes, args[i].bytes, args[i].length);
        bytes += args[i].length;
    }
    if (row->last)
        row->last->next = parked;
    else
        row->first = parked;
    row->last = parked;
    row->count++;
    return parked;
}

void parked_answer(struct parked *parked, const struct mirror_answer *answer)
{
    parked->state = PARKED_READY;
    parked->wait = NULL;
    parked->purged = answer->purged;
    parked->has_reply = answer->reply != NULL;
    if (answer->reply)
        buf_append(&parked->reply, answer->reply->data, answer->reply->length);
}

bool parked_is_full(const struct parked_row *row)
{
    return row->count >= PARKED_MAX || (row->last && row->last->state == PARKED_HELD);
}

struct parked *parked_take(struct parked_row *row)
{
    struct parked *first = row->first;
    if (!first || first->state == PARKED_WAITING)
        return NULL;
    row->first = first->next;
    if (!row->first)
        row->last = NULL;
    row->count--;
    return first;
}

void parked_put_back(struct parked_row *row, struct parked *parked, struct mirror_wait *wait)
{
    parked->state = PARKED_WAITING;
    parked->wait = wait;
    parked->next = row->first;
    row->first = parked;
    if (!row->last)
        row->last = parked;
    row->count++;
}

void parked_free(struct parked *parked)
{
    buf_free(&parked->reply);
    free(parked);
}

void parked_clear(struct parked_row *row)
{
    struct parked *next;
    for (struct parked *parked = row->first; parked; parked = next) {
        next = parked->next;
        if (parked->wait)
            mirror_cancel(parked->wait);
        parked_free(parked);
    }
    *row = (struct parked_row){.first = NULL};
}
