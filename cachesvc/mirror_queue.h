// Keys that were changed here and that Redis has not been told of: each once, in the order of their
// first change. What is told is what the store holds then. Bounded. No I/O.
#ifndef GW_CACHESVC_MIRROR_QUEUE_H
#define GW_CACHESVC_MIRROR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

enum mirror_change_kind {
    CHANGE_ANNOUNCE, // Redis has it already, the others do not know
    CHANGE_FORGET,   // it was changed here alone: what Redis has holds
    CHANGE_WRITE,
    CHANGE_DELETE, // whatever it is here: Redis did not take it
};

struct mirror_change {
    struct mirror_change *after; // in the queue
    enum mirror_change_kind kind;
    unsigned tries; // so often it was lost on the way
    size_t length;
    char key[];
};

enum { CHANGE_TRIES = 3 };

struct mirror_queue;

// Of keys with at most so many bytes, book-keeping included.
struct mirror_queue *mirror_queue_new(size_t limit_bytes);
void mirror_queue_free(struct mirror_queue *queue); // NULL is allowed

// A key was changed. false: there is no room.
bool mirror_queue_add(struct mirror_queue *queue, const char *key, size_t length,
                      enum mirror_change_kind kind);

bool mirror_queue_has(const struct mirror_queue *queue, const char *key, size_t length);

// The first one, which is the caller's then; NULL: there is none.
struct mirror_change *mirror_queue_take(struct mirror_queue *queue);

// Takes one back that did not get through, of which `tries` counts how often. A value that went
// down CHANGE_TRIES times with its connection is not sent again: it is deleted there. A key that
// was changed since is as if both changes had waited: a newer value is sent.
// false: there is no room (it is freed).
bool mirror_queue_put_back(struct mirror_queue *queue, struct mirror_change *change);

// Forgets them all.
void mirror_queue_clear(struct mirror_queue *queue);

// Whether more than half of the room is taken.
bool mirror_queue_is_filling(const struct mirror_queue *queue);

size_t mirror_queue_count(const struct mirror_queue *queue);

#endif
