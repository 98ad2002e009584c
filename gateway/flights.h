// Which keys this worker is fetching, and who waits for them: many requests for one key become one
// for the upstream. Pure book-keeping: what is fetched, and how it is told other workers, is
// cached.c's.
//
// The first to ask leads; the others wait. When the leader is done they all hear it; when it gives
// up, the one that waited longest leads in its place.
#ifndef GW_GATEWAY_FLIGHTS_H
#define GW_GATEWAY_FLIGHTS_H

#include <stdbool.h>

#include "span.h"

struct flight;
struct flights;

enum flight_news {
    FLIGHT_LANDED, // the leader is done: look again, and go alone if there is nothing
    FLIGHT_LEAD,   // the leader gave up: you lead now
};

// Embedded by who waits.
struct flight_waiter {
    struct flight_waiter *next, **at; // `at` NULL: waits for nothing
    struct flight *flight;
    void (*on_news)(struct flight_waiter *waiter, enum flight_news news);
};

struct flights *flights_new(void);
void flights_free(struct flights *flights); // nobody may lead

// Returns the flight of a new leader; or NULL: there is one already, and the waiter, whose on_news
// is set, waits for it.
struct flight *flights_join(struct flights *flights, struct span key, struct flight_waiter *waiter);

// The leader is done, or gives up. Waiters are told from within this call; they may join again.
void flight_land(struct flight *flight);
void flight_give_up(struct flight *flight);

// Waits no more. For one that waits.
void flight_leave(struct flight_waiter *waiter);

#endif
