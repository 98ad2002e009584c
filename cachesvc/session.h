// What is known of each connection beside its bytes: CLIENT's part of the world. No I/O.
#ifndef GW_CACHESVC_SESSION_H
#define GW_CACHESVC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct command;

// A lock that ends with the connection.
struct session_lock {
    struct session_lock *next;
    char *key, *token;
    size_t key_length, token_length;
};

struct session {
    struct session *before, *after;
    uint64_t id;
    uint64_t since_ms, last_ms; // connected, last command
    const struct command *last; // NULL: none yet
    char *name;                 // NULL: none
    char *library, *library_version;
    int fd;
    bool no_evict;
    bool is_blocked;
    struct session_lock *locks; // at the latest taken ones that were not released since
};

struct sessions {
    struct session *first, *last;
    size_t count;
    uint64_t last_id;
};

// A session begins, at the end of the list; and ends.
void session_open(struct session *session, struct sessions *sessions, int fd, uint64_t now_ms);
void session_close(struct session *session, struct sessions *sessions);

// Remembers a lock (copied), and forgets one of that key.
void session_add_lock(struct session *session, const char *key, size_t key_length,
                      const char *token, size_t token_length);
void session_drop_lock(struct session *session, const char *key, size_t key_length);

// Forgets the name, as RESET does.
void session_reset(struct session *session);

// Replaces a name, or what a library says of itself: NULL, or a copy. false: it has bytes that
// would not stand in one line of CLIENT LIST, nothing is changed.
bool session_set_text(char **text, const char *bytes, size_t length);

// The line of CLIENT LIST, with its end.
void session_describe(const struct session *session, uint64_t now_ms, struct buf *out);

#endif
