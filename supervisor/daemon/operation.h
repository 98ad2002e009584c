// A command that takes time: what it waits for, its progress, its one answer.
//
// It waits for slots to reach a goal and for reloads to end. It outlives its connection: when the
// person goes away, what was begun goes on.
#ifndef GW_SUPERVISOR_OPERATION_H
#define GW_SUPERVISOR_OPERATION_H

#include <stdint.h>

#include "app.h"

struct control_connection;
struct operation;
struct operations;

struct operations *operations_new(struct daemon *daemon);
void operations_free(struct operations *operations);

struct operation *operation_begin(struct control_connection *connection, int64_t id);

// The slot (NULL: each of the app) is to be online; done as well when it will not be (the answer
// says so).
void operation_expect_running(struct operation *operation, const struct app *app,
                              const struct slot *slot);
// The slot (NULL: each of the app) is to be stopped.
void operation_expect_stopped(struct operation *operation, const struct app *app,
                              const struct slot *slot);
// The app's slots from number `first` on are to be gone.
void operation_expect_gone(struct operation *operation, const struct app *app, size_t first);
// Scales the app, and expects new slots to run and retiring ones to be gone.
void operation_scale(struct operation *operation, struct app *app, size_t count);
// Scales it to what its settings say, where they say another number than `before`: who has scaled
// by command keeps that number otherwise.
void operation_follow_instances(struct operation *operation, struct app *app,
                                const struct spec *before);
// A reload reports its end by operation_done.
void operation_expect_one(struct operation *operation);
void operation_done(struct operation *operation);

void operation_progress(struct operation *operation, const char *format, ...) GW_PRINTF(2, 3);
// The answer will be an error; the first text of several stands first.
void operation_fail(struct operation *operation, const char *format, ...) GW_PRINTF(2, 3);

// All expectations are named: answers now, or as soon as nothing is waited for.
void operation_commit(struct operation *operation);

// Something is under way for this connection.
bool operations_for(const struct operations *operations,
                    const struct control_connection *connection);

// Something is under way.
bool operations_any(const struct operations *operations);

// Something changed: look at all operations.
void operations_check(struct operations *operations);

// The connection is going away.
void operations_forget(struct operations *operations, struct control_connection *connection);

#endif
