// A cachesvc that the test plays, in the loop of the test: it counts what it is asked before it
// answers, and answers what and when the test says.
#ifndef GW_TEST_FAKE_CACHESVC_H
#define GW_TEST_FAKE_CACHESVC_H

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "loop_test.h"

struct fake_client {
    uv_pipe_t pipe;
    redisReader *reader;
    struct fake_client *next;
};

struct fake_cachesvc {
    char folder[32];
    char path[64];
    uv_pipe_t server;
    struct fake_client *clients;        // the youngest first
    struct fake_client *client;         // the one that connected or asked last
    unsigned accepted, pings, commands; // commands: all but PING
    uint64_t accepted_at[16];           // uv_now of the first connections
    struct buf last;                    // the words of the last command, a blank between two
    struct buf names;                   // the first words of all but PING, the same way
    bool hangs_up;                      // on whoever connects
    bool ignores_pings;
    const char *reply; // to every command but PING; NULL: none, until fake_say
    // The same for each command; NULL: all have `reply`.
    const char *(*answers)(const redisReply *command);
    char input[65536];
};

static struct fake_cachesvc fake;

static void fake_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void fake_drop(struct fake_client *client)
{
    struct fake_client **at = &fake.clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    if (fake.client == client)
        fake.client = fake.clients;
    uv_close((uv_handle_t *)&client->pipe, fake_on_closed);
    redisReaderFree(client->reader);
}

// Closes the connections, if there are any.
static inline void fake_hang_up(void)
{
    while (fake.clients != NULL)
        fake_drop(fake.clients);
}

// Bytes to the client that asked last, whole: they are few.
static inline void fake_say(const char *text)
{
    uv_buf_t piece = uv_buf_init((char *)text, (unsigned)strlen(text));
    ck_assert_ptr_nonnull(fake.client);
    ck_assert_int_eq(uv_try_write((uv_stream_t *)&fake.client->pipe, &piece, 1), (int)strlen(text));
}

static void fake_take(const redisReply *command)
{
    ck_assert_int_eq(command->type, REDIS_REPLY_ARRAY);
    if (strcmp(command->element[0]->str, "PING") == 0) {
        fake.pings++;
        if (!fake.ignores_pings)
            fake_say("+PONG\r\n");
        return;
    }
    fake.commands++;
    fake.last.length = 0;
    for (size_t i = 0; i < command->elements; i++) {
        if (i > 0)
            buf_append(&fake.last, " ", 1);
        buf_append(&fake.last, command->element[i]->str, command->element[i]->len);
    }
    buf_append(&fake.names, " ", fake.names.length > 0);
    buf_append(&fake.names, command->element[0]->str, command->element[0]->len);
    const char *reply = fake.answers != NULL ? fake.answers(command) : fake.reply;
    if (reply != NULL)
        fake_say(reply);
}

static void fake_on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(fake.input, sizeof fake.input);
}

static void fake_on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *piece)
{
    struct fake_client *client = stream->data;
    void *command = NULL;
    if (length < 0) {
        fake_drop(client);
        return;
    }
    fake.client = client;
    ck_assert_int_eq(redisReaderFeed(client->reader, piece->base, (size_t)length), REDIS_OK);
    while (redisReaderGetReply(client->reader, &command) == REDIS_OK && command != NULL) {
        fake_take(command);
        freeReplyObject(command);
    }
}

static inline void fake_read(bool reads)
{
    uv_stream_t *stream = (uv_stream_t *)&fake.client->pipe;
    if (reads)
        uv_read_start(stream, fake_on_allocate, fake_on_read);
    else
        uv_read_stop(stream);
}

static void fake_on_connection(uv_stream_t *server, int status)
{
    struct fake_client *client = calloc(1, sizeof *client);
    ck_assert_int_eq(status, 0);
    uv_pipe_init(server->loop, &client->pipe, 0);
    client->pipe.data = client;
    ck_assert_int_eq(uv_accept(server, (uv_stream_t *)&client->pipe), 0);
    if (fake.accepted < sizeof fake.accepted_at / sizeof fake.accepted_at[0])
        fake.accepted_at[fake.accepted] = uv_now(server->loop);
    fake.accepted++;
    client->reader = redisReaderCreate();
    client->next = fake.clients;
    fake.clients = fake.client = client;
    if (fake.hangs_up)
        fake_hang_up();
    else
        fake_read(true);
}

// Makes the folder of the socket, on which nobody listens yet.
static inline void fake_prepare(void)
{
    memset(&fake, 0, sizeof fake);
    signal(SIGPIPE, SIG_IGN); // as a worker does
    strcpy(fake.folder, "/tmp/gwctl-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake.folder));
    snprintf(fake.path, sizeof fake.path, "%s/cache.sock", fake.folder);
}

static inline void fake_listen(void)
{
    uv_pipe_init(&test_loop, &fake.server, 0);
    ck_assert_int_eq(uv_pipe_bind(&fake.server, fake.path), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&fake.server, 16, fake_on_connection), 0);
}

static inline void fake_close(void)
{
    fake_hang_up();
    uv_close((uv_handle_t *)&fake.server, NULL);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    buf_free(&fake.last);
    buf_free(&fake.names);
    unlink(fake.path);
    rmdir(fake.folder);
}

static inline bool fake_has_heard(void *count)
{
    return fake.commands >= *(unsigned *)count;
}

// Runs the loop until so many commands have come.
static inline void fake_wait(unsigned commands)
{
    loop_test_wait(fake_has_heard, &commands);
    ck_assert_uint_eq(fake.commands, commands);
}

#endif
