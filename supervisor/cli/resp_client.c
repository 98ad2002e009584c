// Commands over hiredis' blocking connection.
//
// The supervisor holds the socket, so connecting succeeds also while cachesvc is being restarted or
// hangs: then it is the limit of 5 s for a reply that ends the wait.

#include "resp_client.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>

#include "common/home.h"
#include "common/mem.h"

enum { REPLY_SECONDS = 5 };

struct resp_client {
    redisContext *context;
};

static int explain(const redisContext *context, struct err *err)
{
    if (context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))
        return err_set(err, "the cache did not answer within %d s; `gwctl list` shows its state",
                       REPLY_SECONDS);
    return err_set(err, "the cache: %s", context->errstr);
}

static int open_context(struct resp_client *client, struct err *err)
{
    struct timeval limit = {.tv_sec = REPLY_SECONDS};
    client->context = redisConnectUnixWithTimeout(home_path(HOME_CACHE), limit);
    if (!client->context)
        return err_set(err, "the cache: out of memory");
    if (client->context->err == REDIS_ERR_IO && (errno == ENOENT || errno == ECONNREFUSED))
        return err_set(err,
                       "no cache runs in %s; `gwctl start FILE` starts one, with a file that has "
                       "\"cachesvc\" or \"gateway\"",
                       home_path(HOME_ROOT));
    if (client->context->err || redisSetTimeout(client->context, limit) != REDIS_OK)
        return explain(client->context, err);
    return 0;
}

struct resp_client *resp_client_connect(struct err *err)
{
    struct resp_client *client = mem_zalloc(1, sizeof *client);
    if (open_context(client, err) == 0)
        return client;
    resp_client_close(client);
    return NULL;
}

void resp_client_close(struct resp_client *client)
{
    if (!client)
        return;
    if (client->context)
        redisFree(client->context);
    free(client);
}

redisReply *resp_client_call(struct resp_client *client, int type, const char *const *words,
                             size_t count, struct err *err)
{
    // The words are only read: the argument's type is hiredis' own.
    redisReply *reply =
        redisCommandArgv(client->context, (int)count, (const char **)(uintptr_t)words, NULL);
    if (!reply) {
        (void)explain(client->context, err);
        return NULL;
    }
    if (reply->type == type || reply->type == REDIS_REPLY_NIL)
        return reply;
    if (reply->type == REDIS_REPLY_ERROR)
        err_set(err, "%s", reply->str);
    else
        err_set(err, "%s: the cache gave a reply of another kind", words[0]);
    freeReplyObject(reply);
    return NULL;
}
