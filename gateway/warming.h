// Before a worker is ready it asks itself for the URLs of "warm", so that the first clients after a
// start find answers. Its requests take the whole way of a client's: what another worker has stored
// is a hit, and what it is fetching is waited for. Before that, and if there are none, it waits for
// cachesvc, a moment at most: what came before would be fetched though others fetch it.
#ifndef GW_GATEWAY_WARMING_H
#define GW_GATEWAY_WARMING_H

struct server;
struct warming;

// Begins. on_over is called once, from the loop, when all is warm that can be, or after
// warm_timeout; the warming is gone then. NULL: there is no cachesvc, and on_over is not called.
struct warming *warming_start(struct server *server, void (*on_over)(void *context), void *context);

// Ends it without on_over. Its memory goes in the loop's close callbacks. NULL is allowed.
void warming_close(struct warming *warming);

#endif
