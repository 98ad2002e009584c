// A map from keys to flights. A flight leaves the map before its waiters hear that it landed: who
// joins from there begins a new one.
#include "flights.h"

#include <stdlib.h>

#include "common/map.h"
#include "common/mem.h"

struct flight {
    struct flights *flights;
    char *key;
    struct flight_waiter *first, **end;
};

struct flights {
    struct map *by_key;
};

struct flights *flights_new(void)
{
    struct flights *flights = mem_zalloc(1, sizeof(*flights));
    flights->by_key = map_new();
    return flights;
}

void flights_free(struct flights *flights)
{
    if (flights == NULL)
        return;
    map_free(flights->by_key, NULL);
    free(flights);
}

static void wait_for(struct flight *flight, struct flight_waiter *waiter)
{
    waiter->flight = flight;
    waiter->next = NULL;
    waiter->at = flight->end;
    *flight->end = waiter;
    flight->end = &waiter->next;
}

void flight_leave(struct flight_waiter *waiter)
{
    *waiter->at = waiter->next;
    if (waiter->next != NULL)
        waiter->next->at = waiter->at;
    else
        waiter->flight->end = waiter->at;
    waiter->at = NULL;
}

struct flight *flights_join(struct flights *flights, struct span key, struct flight_waiter *waiter)
{
    struct flight *flight = map_get_n(flights->by_key, key.bytes, key.length);
    if (flight != NULL) {
        wait_for(flight, waiter);
        return NULL;
    }
    flight = mem_zalloc(1, sizeof(*flight));
    flight->flights = flights;
    flight->key = mem_strndup(key.bytes, key.length);
    flight->end = &flight->first;
    map_put(flights->by_key, flight->key, flight);
    return flight;
}

static void end(struct flight *flight)
{
    struct flight_waiter *waiter;
    map_remove(flight->flights->by_key, flight->key);
    while ((waiter = flight->first) != NULL) {
        flight_leave(waiter);
        waiter->on_news(waiter, FLIGHT_LANDED);
    }
    free(flight->key);
    free(flight);
}

void flight_land(struct flight *flight)
{
    end(flight);
}

void flight_give_up(struct flight *flight)
{
    struct flight_waiter *waiter = flight->first;
    if (waiter == NULL) {
        end(flight);
        return;
    }
    flight_leave(waiter);
    waiter->on_news(waiter, FLIGHT_LEAD);
}
