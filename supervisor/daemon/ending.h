// The end of the supervisor. `kill` stops every app; SIGTERM leaves those running that say so
// (on_supervisor_exit), with the keeper, which holds what they need and starts the next supervisor
// when a client wants one.
#ifndef GW_SUPERVISOR_ENDING_H
#define GW_SUPERVISOR_ENDING_H

#include <stdbool.h>

struct daemon;

// Stops the apps, the gateway first, then ends the loop. may_leave: but for those that stay;
// without it they are stopped too, also when the end has begun with it.
void ending_begin(struct daemon *daemon, bool may_leave);

// When the daemon is to end: takes the next step towards it.
void ending_look(struct daemon *daemon);

// After the loop, with daemon->leaving: hands over to the keeper. All that is left to do is to exit
// with KEEPER_EXIT_LEFT.
void ending_leave(struct daemon *daemon);

// In the next supervisor, before it listens: control.sock has its name again, when it was taken
// over from the keeper; one that nobody holds any more is removed.
void ending_undo_leave(bool was_kept);

#endif
