// File descriptors by name, and how a new process gets all of them.
#ifndef GW_KEEPER_STORE_H
#define GW_KEEPER_STORE_H

#include <stdbool.h>

enum { STORE_FIRST_FD = 3 }; // where handed-down fds begin, as systemd has it

// 1..KEEPER_NAME_MAX printable ASCII characters without ':'.
bool store_name_valid(const char *name);

// Takes fd (also on failure); one of that name is closed. false: the store is full.
bool store_put(const char *name, int fd);

// The fd of that name, which stays the store's; -1: nothing has that name.
int store_fd(const char *name);

// Closes what has that name. false: nothing has.
bool store_remove(const char *name);

// The fd of that name, which is the caller's from now on; -1: nothing has that name.
int store_take(const char *name);

// Takes over the fds that LISTEN_FDS and LISTEN_FDNAMES describe, when LISTEN_PID is this process.
// Returns how many. -1: the three make no sense.
int store_adopt(void);

// Above all the numbers that store_hand_down gives to fds: an fd below it is overwritten there.
int store_end(void);

// In a forked child before exec: puts every stored fd and `link` (as "keeper") at 3, 4, 5 ... and
// says so in LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID. The store is of no more use in this
// process. -1 with errno.
int store_hand_down(int link);

#endif
