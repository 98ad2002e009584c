// Asks the programs on disk for their versions, one after the other, then asks the keeper.
//
// Not its job: to end. The keeper does that, so that nothing has to be put in order here. The
// invariant: until all programs have answered, nothing has happened.

#include "update.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "common/mem.h"
#include "control.h"
#include "daemon.h"
#include "events.h"
#include "keeper_link.h"
#include "operation.h"
#include "request.h"
#include "snapshot.h"

enum { ANSWER_LIMIT_MS = 10000, ANSWER_MAX = 128 };

// The supervisor is the last one: it is whose version people are told.
static const char *const programs[] = {"gw-keeper", "gw-supervisor"};
enum { PROGRAMS = sizeof programs / sizeof *programs };

struct update {
    struct daemon *daemon;
    struct operation *operation;
    size_t next; // of programs
    uv_process_t process;
    uv_timer_t timer;
    int spawn_error, code, signal; // how the last program ended
    int answer_fd;                 // what it wrote
    char answer[ANSWER_MAX];
};

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

// With an error when `error` is not NULL.
static void finish(struct update *update, const char *error)
{
    struct operation *operation = update->operation;
    if (error)
        operation_fail(operation, "%s; nothing has changed", error);
    update->daemon->update = NULL;
    uv_close((uv_handle_t *)&update->timer, on_timer_closed);
    operation_done(operation);
}

// The answer is written before the keeper hears of it.
static void replace(struct update *update)
{
    struct daemon *daemon = update->daemon;
    struct err err;

    events_note(daemon, "supervisor", "update", "%s", update->answer);
    log_info("update: %s takes over", update->answer);
    snapshot_save(daemon);
    finish(update, NULL);
    if (keeper_link_update(daemon->keeper, &err) == -1)
        log_error("update: %s", err.text);
}

static void read_answer(struct update *update)
{
    ssize_t length = pread(update->answer_fd, update->answer, ANSWER_MAX - 1, 0);
    update->answer[length > 0 ? length : 0] = '\0';
    update->answer[strcspn(update->answer, "\n")] = '\0';
    close(update->answer_fd);
    update->answer_fd = -1;
}

// "gw-keeper 1.2.3"
static bool answer_fits(const struct update *update)
{
    size_t length = strlen(programs[update->next]);
    return strncmp(update->answer, programs[update->next], length) == 0 &&
           update->answer[length] == ' ';
}

static void ask_next(struct update *update);

// What is wrong with the program that has just ended; NULL: nothing (mem).
static char *complaint(const struct update *update)
{
    const char *folder = update->daemon->programs, *name = programs[update->next];
    if (update->spawn_error)
        return mem_printf("%s/%s does not start: %s", folder, name,
                          uv_strerror(update->spawn_error));
    if (update->signal)
        return mem_printf("%s/%s does not start: signal %d", folder, name, update->signal);
    if (update->code)
        return mem_printf("%s/%s does not start: it exited with %d", folder, name, update->code);
    if (!answer_fits(update))
        return mem_printf("%s/%s is another program: it answers \"%s\"", folder, name,
                          update->answer);
    return NULL;
}

// Not before: the handle is used for the next one.
static void on_process_closed(uv_handle_t *handle)
{
    struct update *update = handle->data;
    read_answer(update);
    char *wrong = complaint(update);
    if (wrong) {
        finish(update, wrong);
        free(wrong);
        return;
    }
    operation_progress(update->operation, "%s can be started", update->answer);
    update->next++;
    ask_next(update);
}

static void on_ended(uv_process_t *process, int64_t code, int signal)
{
    struct update *update = process->data;
    uv_timer_stop(&update->timer);
    update->code = (int)code;
    update->signal = signal;
    uv_close((uv_handle_t *)process, on_process_closed);
}

static void on_too_late(uv_timer_t *timer)
{
    struct update *update = timer->data;
    uv_process_kill(&update->process, SIGKILL);
}

static void spawn(struct update *update)
{
    char *path = mem_printf("%s/%s", update->daemon->programs, programs[update->next]);
    char *args[] = {path, (char *)"--version", NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = update->answer_fd},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {
        .exit_cb = on_ended, .file = path, .args = args, .stdio = stdio, .stdio_count = 3};
    update->spawn_error = uv_spawn(update->daemon->loop, &update->process, &options);
    update->process.data = update;
    if (update->spawn_error == 0)
        uv_timer_start(&update->timer, on_too_late, ANSWER_LIMIT_MS, 0);
    else
        uv_close((uv_handle_t *)&update->process, on_process_closed);
    free(path);
}

static void ask_next(struct update *update)
{
    if (update->next == PROGRAMS) {
        replace(update);
        return;
    }
    update->answer_fd = memfd_create("answer", MFD_CLOEXEC);
    if (update->answer_fd == -1)
        finish(update, "no memory for an answer");
    else
        spawn(update);
}

static const char *refusal(const struct daemon *daemon)
{
    if (daemon->ending)
        return "the supervisor is ending";
    if (daemon->update || operations_any(daemon->operations))
        return "another command is under way; update when it has ended";
    if (!keeper_link_connected(daemon->keeper))
        return "this supervisor has no keeper that could start another one";
    return NULL;
}

void update_begin(const struct request *request)
{
    struct daemon *daemon = request->daemon;
    const char *why = refusal(daemon);
    if (why) {
        control_refuse(request->connection, request->id, why);
        return;
    }
    struct update *update = mem_zalloc(1, sizeof *update);
    update->daemon = daemon;
    daemon->update = update;
    update->operation = operation_begin(request->connection, request->id);
    operation_expect_one(update->operation);
    operation_commit(update->operation);
    uv_timer_init(daemon->loop, &update->timer);
    update->timer.data = update;
    ask_next(update);
}
