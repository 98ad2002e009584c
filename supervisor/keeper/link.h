// The socket pair between keeper and supervisors.
#ifndef GW_KEEPER_LINK_H
#define GW_KEEPER_LINK_H

#include <stdbool.h>
#include <sys/types.h>

// Takes the pair of the keeper before us out of the store, or makes one. Both ends stay open for
// the keeper's life: what it sends while no supervisor runs waits in the kernel for the next one.
// false with errno.
bool link_open(void);

// Puts our end into the store, for the keeper that is executed in our place. false: it is full.
bool link_hand_on(void);

int link_fd(void);              // our end, for poll(2)
int link_supervisors_end(void); // to hand down

// Does what the waiting packets ask for; malformed ones are logged and ignored.
void link_receive(void);

// Since the last call the supervisor has asked for an update.
bool link_update_wanted(void);

// Tells the supervisor about an exit. Never blocks: what does not fit is kept for link_flush.
void link_send_exit(pid_t pid, int status);

// Something is kept: call link_flush when the socket is writable.
bool link_pending(void);
void link_flush(void);

#endif
