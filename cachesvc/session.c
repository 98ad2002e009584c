// Sessions in a list, in the order in which they began.
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "common/mem.h"

void session_open(struct session *session, struct sessions *sessions, int fd, uint64_t now_ms)
{
    *session = (struct session){.before = sessions->last,
                                .id = ++sessions->last_id,
                                .since_ms = now_ms,
                                .last_ms = now_ms,
                                .fd = fd};
    if (sessions->last)
        sessions->last->after = session;
    else
        sessions->first = session;
    sessions->last = session;
    sessions->count++;
}

void session_add_lock(struct session *session, const char *key, size_t key_length,
                      const char *token, size_t token_length)
{
    struct session_lock *lock = mem_alloc(sizeof *lock);
    session_drop_lock(session, key, key_length);
    *lock = (struct session_lock){
        session->locks, memcpy(mem_alloc(key_length + 1), key, key_length),
        memcpy(mem_alloc(token_length + 1), token, token_length), key_length, token_length};
    session->locks = lock;
}

void session_drop_lock(struct session *session, const char *key, size_t key_length)
{
    struct session_lock **at = &session->locks;
    while (*at && ((*at)->key_length != key_length || memcmp((*at)->key, key, key_length) != 0))
        at = &(*at)->next;
    struct session_lock *lock = *at;
    if (!lock)
        return;
    *at = lock->next;
    free(lock->key);
    free(lock->token);
    free(lock);
}

void session_close(struct session *session, struct sessions *sessions)
{
    if (session->before)
        session->before->after = session->after;
    else
        sessions->first = session->after;
    if (session->after)
        session->after->before = session->before;
    else
        sessions->last = session->before;
    sessions->count--;
    free(session->name);
    free(session->library);
    free(session->library_version);
    while (session->locks)
        session_drop_lock(session, session->locks->key, session->locks->key_length);
    *session = (struct session){.id = 0};
}

void session_reset(struct session *session)
{
    free(session->name);
    session->name = NULL;
    session->no_evict = false;
}

bool session_set_text(char **text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; ++i)
        if (bytes[i] < '!' || bytes[i] > '~')
            return false;
    free(*text);
    *text = length > 0 ? mem_strndup(bytes, length) : NULL;
    return true;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static uint64_t seconds_between(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0; // the clock may have been set back
}

void session_describe(const struct session *session, uint64_t now_ms, struct buf *out)
{
    buf_printf(out,
               "id=%llu addr=unix:0 laddr=unix:0 fd=%d name=%s age=%llu idle=%llu flags=%s db=0 "
               "sub=0 psub=0 ssub=0 multi=-1 cmd=%s user=default redir=-1 resp=2 lib-name=%s "
               "lib-ver=%s\n",
               (unsigned long long)session->id, session->fd, or_empty(session->name),
               (unsigned long long)seconds_between(session->since_ms, now_ms),
               (unsigned long long)seconds_between(session->last_ms, now_ms),
               session->is_blocked ? "b"
               : session->no_evict ? "e"
                                   : "N",
               session->last ? session->last->name : "NULL", or_empty(session->library),
               or_empty(session->library_version));
}
