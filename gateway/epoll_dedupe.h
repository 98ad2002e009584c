// Fewer system calls for libuv; see epoll_dedupe.c.
#ifndef GW_GATEWAY_EPOLL_DEDUPE_H
#define GW_GATEWAY_EPOLL_DEDUPE_H

// Reserves the table. Linking this module in is what switches it on.
void epoll_dedupe_init(void);

#endif
