// libh2o set up for one path and one handler, and the connections.
//
// libh2o tells nobody when a connection of HTTP/1 comes and goes, so each has a struct of ours with
// libuv's handle in it; the socket's close callback leads back to it. Every answer is made at once,
// so a request under way is one whose answer is being taken by the peer: one look at each
// connection a second breaks those that do not take it.
//
// Invariant: a client is in the list from accept to the moment libh2o closes its socket; its memory
// goes when libuv has closed the handle.
#include "server.h"

#include <h2o.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"

enum {
    CLIENTS_MAX = 256,
    BACKLOG = 256,
    IDLE_MS = 75 * 1000, // longer than a gateway worker keeps a connection that it does not use
    SEND_LIMIT_MS = 15 * 1000,
    STOP_LIMIT_MS = 2000,
    SWEEP_MS = 1000,
    STOP_SWEEP_MS = 100,
    REQUEST_BODY_MAX = 4096, // nobody reads it
};

struct server {
    uv_loop_t *loop;
    server_answer *callback;
    void *context;
    uv_pipe_t listener;
    uv_timer_t sweep;
    h2o_globalconf_t globalconf;
    h2o_context_t h2o;
    h2o_accept_ctx_t accept;
    h2o_linklist_t clients;
    size_t client_count;
    uint64_t stop_ms;                  // 0: it serves
    void (*on_stopped)(void *context); // NULL: called already, or it serves
};

struct client {
    uv_pipe_t pipe; // first: libuv's handle
    struct server *server;
    h2o_socket_t *socket;
    h2o_linklist_t link;
    uint64_t answer_ms; // since when an answer is under way; 0: none
};

struct handler {
    h2o_handler_t super;
    struct server *server;
};

// What must live until the answer was taken, in the request's memory.
struct sending {
    h2o_generator_t super;
    struct client *client;
    struct buf body;
};

// --- connections --------------------------------------------------------------------------------

static void on_client_handle_closed(uv_handle_t *handle)
{
    free(H2O_STRUCT_FROM_MEMBER(struct client, pipe, handle));
}

static void finish_stop(struct server *server)
{
    void (*on_stopped)(void *context) = server->on_stopped;
    if (on_stopped == NULL || server->client_count > 0)
        return;
    server->on_stopped = NULL;
    on_stopped(server->context);
}

static void on_socket_closed(void *data)
{
    struct client *client = data;
    client->socket = NULL;
    h2o_linklist_unlink(&client->link);
    --client->server->client_count;
    finish_stop(client->server);
}

static bool is_idle(const struct client *client)
{
    return client->answer_ms == 0 && client->socket->input->size == 0;
}

static void look_at(struct client *client, uint64_t now_ms)
{
    const struct server *server = client->server;
    int fd = h2o_socket_get_fd(client->socket);
    if (server->stop_ms != 0 && now_ms - server->stop_ms >= STOP_LIMIT_MS)
        shutdown(fd, SHUT_RDWR);
    else if (server->stop_ms != 0 && is_idle(client))
        shutdown(fd, SHUT_RD); // libh2o sees an end and closes
    else if (client->answer_ms != 0 && now_ms - client->answer_ms >= SEND_LIMIT_MS)
        shutdown(fd, SHUT_RDWR);
}

static void look_at_clients(struct server *server)
{
    h2o_linklist_t *next;
    uint64_t now_ms = uv_now(server->loop);
    for (h2o_linklist_t *at = server->clients.next; at != &server->clients; at = next) {
        next = at->next;
        look_at(H2O_STRUCT_FROM_MEMBER(struct client, link, at), now_ms);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct server *server = timer->data;
    look_at_clients(server);
    if (server->client_count == 0)
        uv_timer_stop(timer);
}

static void start_sweep(struct server *server, uint64_t interval_ms)
{
    uv_timer_start(&server->sweep, on_sweep, interval_ms, interval_ms);
}

static void begin(struct client *client)
{
    struct server *server = client->server;
    client->socket = h2o_uv_socket_create((uv_stream_t *)&client->pipe, on_client_handle_closed);
    client->socket->on_close.cb = on_socket_closed;
    client->socket->on_close.data = client;
    h2o_linklist_insert(&server->clients, &client->link);
    if (++server->client_count == 1)
        start_sweep(server, SWEEP_MS);
    h2o_accept(&server->accept, client->socket);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct server *server = stream->data;
    if (status != 0) {
        log_warn("metrics.sock: accept: %s", uv_strerror(status));
        return;
    }
    struct client *client = mem_zalloc(1, sizeof(*client));
    client->server = server;
    uv_pipe_init(server->loop, &client->pipe, 0);
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) == 0 && server->client_count < CLIENTS_MAX)
        begin(client);
    else
        uv_close((uv_handle_t *)&client->pipe, on_client_handle_closed);
}

// --- requests -----------------------------------------------------------------------------------

static void on_sending_disposed(void *memory)
{
    struct sending *sending = memory;
    sending->client->answer_ms = 0;
    buf_free(&sending->body);
}

static const char *copy_text(h2o_req_t *req, h2o_iovec_t text)
{
    return h2o_strdup(&req->pool, text.base, text.len).base;
}

// All fields of a name as one list (RFC 9110 §5.3).
static const char *get_field(h2o_req_t *req, const h2o_token_t *token)
{
    h2o_iovec_t all = h2o_iovec_init(H2O_STRLIT(""));
    for (ssize_t at = h2o_find_header(&req->headers, token, -1); at != -1;
         at = h2o_find_header(&req->headers, token, at)) {
        h2o_iovec_t value = req->headers.entries[at].value;
        all = all.len == 0 ? value
                           : h2o_concat(&req->pool, all, h2o_iovec_init(H2O_STRLIT(", ")), value);
    }
    return copy_text(req, all);
}

static void add_field(h2o_req_t *req, const h2o_token_t *token, const char *value)
{
    if (value != NULL)
        h2o_add_header(&req->pool, &req->res.headers, token, NULL, value, strlen(value));
}

static void add_fields(h2o_req_t *req, const struct answer *answer)
{
    req->res.status = answer->status;
    req->res.reason = answer->reason;
    req->res.content_length = answer->body.length;
    add_field(req, H2O_TOKEN_CONTENT_TYPE, answer->content_type);
    add_field(req, H2O_TOKEN_CONTENT_ENCODING, answer->content_encoding);
    add_field(req, H2O_TOKEN_VARY, answer->vary);
    add_field(req, H2O_TOKEN_ALLOW, answer->allow);
    add_field(req, H2O_TOKEN_CACHE_CONTROL, "no-store");
    if (answer->retry_after_s != 0) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%u", answer->retry_after_s);
        add_field(req, H2O_TOKEN_RETRY_AFTER,
                  copy_text(req, h2o_iovec_init(seconds, strlen(seconds))));
    }
}

// The body is taken.
static void send_answer(h2o_req_t *req, struct client *client, struct answer *answer)
{
    struct sending *sending =
        h2o_mem_alloc_shared(&req->pool, sizeof(*sending), on_sending_disposed);
    bool is_head = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    *sending = (struct sending){.client = client, .body = answer->body};
    answer->body = (struct buf)BUF_INIT;
    client->answer_ms = uv_now(client->server->loop);
    h2o_iovec_t piece = {sending->body.data, sending->body.length};
    h2o_start_response(req, &sending->super);
    h2o_send(req, &piece, is_head || piece.len == 0 ? 0 : 1, H2O_SEND_STATE_FINAL);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct server *server = ((struct handler *)self)->server;
    struct client *client = req->conn->callbacks->get_socket(req->conn)->on_close.data;
    size_t path_length = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    size_t query_at = req->query_at == SIZE_MAX ? req->path.len : req->query_at + 1;
    struct request request = {.method = copy_text(req, req->method),
                              .path = copy_text(req, h2o_iovec_init(req->path.base, path_length)),
                              .query = copy_text(req, h2o_iovec_init(req->path.base + query_at,
                                                                     req->path.len - query_at)),
                              .accept = get_field(req, H2O_TOKEN_ACCEPT),
                              .accept_encoding = get_field(req, H2O_TOKEN_ACCEPT_ENCODING),
                              .forwarded_for = get_field(req, H2O_TOKEN_X_FORWARDED_FOR)};
    struct answer answer = {.body = BUF_INIT};
    server->callback(server->context, &request, &answer);
    if (server->stop_ms != 0)
        req->http1_is_persistent = 0;
    add_fields(req, &answer);
    send_answer(req, client, &answer);
    return 0;
}

// --- life ---------------------------------------------------------------------------------------

static void configure(struct server *server)
{
    h2o_globalconf_t *conf = &server->globalconf;
    h2o_config_init(conf);
    conf->server_name = h2o_iovec_init(NULL, 0);
    conf->max_request_entity_size = REQUEST_BODY_MAX;
    conf->http1.req_timeout = IDLE_MS;
    conf->http1.upgrade_to_http2 = 0;
    h2o_hostconf_t *host =
        h2o_config_register_host(conf, h2o_iovec_init(H2O_STRLIT("metricsd")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (void *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = on_request;
    handler->server = server;
}

static int listen_on(struct server *server, int fd, struct err *err)
{
    uv_pipe_init(server->loop, &server->listener, 0);
    server->listener.data = server;
    int status = uv_pipe_open(&server->listener, fd);
    if (status != 0)
        close(fd);
    else
        status = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
    return status == 0 ? 0 : err_set(err, "metrics.sock: %s", uv_strerror(status));
}

struct server *server_open(uv_loop_t *loop, int listener, server_answer *callback, void *context,
                           struct err *err)
{
    struct server *server = mem_zalloc(1, sizeof(*server));
    server->loop = loop;
    server->callback = callback;
    server->context = context;
    h2o_linklist_init_anchor(&server->clients);
    uv_timer_init(loop, &server->sweep);
    server->sweep.data = server;
    configure(server);
    h2o_context_init(&server->h2o, loop, &server->globalconf);
    server->accept.ctx = &server->h2o;
    server->accept.hosts = server->globalconf.hosts;
    if (listen_on(server, listener, err) == 0)
        return server;
    server_close(server);
    uv_run(loop, UV_RUN_NOWAIT);
    server_free(server);
    return NULL;
}

void server_stop(struct server *server, void (*on_stopped)(void *context))
{
    server->stop_ms = uv_now(server->loop);
    server->on_stopped = on_stopped;
    server->h2o.shutdown_requested = 1; // libh2o's part of `Connection: close`
    uv_close((uv_handle_t *)&server->listener, NULL);
    look_at_clients(server);
    start_sweep(server, STOP_SWEEP_MS);
    finish_stop(server);
}

void server_close(struct server *server)
{
    if (!uv_is_closing((uv_handle_t *)&server->listener))
        uv_close((uv_handle_t *)&server->listener, NULL);
    uv_close((uv_handle_t *)&server->sweep, NULL);
    h2o_context_dispose(&server->h2o);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    h2o_config_dispose(&server->globalconf);
    free(server);
}
