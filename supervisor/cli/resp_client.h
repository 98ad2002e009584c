// gwctl's end of cache.sock: one command, its reply. Blocking, but not for ever.
#ifndef GW_CLI_RESP_CLIENT_H
#define GW_CLI_RESP_CLIENT_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "common/err.h"

struct resp_client;

// cachesvc answers at home_path(HOME_CACHE). NULL with err, which says what to do when none does.
struct resp_client *resp_client_connect(struct err *err) GW_MUST_USE;
void resp_client_close(struct resp_client *client); // NULL is allowed

// Sends a command of NUL-terminated words. The reply (freeReplyObject) is of the kind `type`, or
// nil. NULL with err: cachesvc refused it, in its own words, or did not answer within 5 s.
redisReply *resp_client_call(struct resp_client *client, int type, const char *const *words,
                             size_t count, struct err *err) GW_MUST_USE;

#endif
