// What metricsd hears: the gateway's document and the endpoint sets, and of every slot its process,
// state, restarts and lost lines. Nobody waits for it: what it does with them is its own affair.
#ifndef GW_SUPERVISOR_METRICSD_FEED_H
#define GW_SUPERVISOR_METRICSD_FEED_H

#include <json-c/json.h>

#include "daemon.h"

struct control_connection;
struct metricsd_feed;

struct metricsd_feed *metricsd_feed_new(struct daemon *daemon);
void metricsd_feed_free(struct metricsd_feed *feed); // NULL is allowed

// The connection is metricsd's from now on: adds what it is to know to the answer of `register`.
void metricsd_feed_register(struct metricsd_feed *feed, struct control_connection *connection,
                            struct worker *worker, struct json_object *answer);

// Tells a registered metricsd what has changed since it was told last; once a turn of the loop.
// When the gateway has another document its connection is closed: it comes again and hears all.
void metricsd_feed_push(struct metricsd_feed *feed);

#endif
