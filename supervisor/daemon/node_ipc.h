// The channel between a Node process and its parent: what `process.send('ready')` says.
//
// A stream socket that the child finds in NODE_CHANNEL_FD; each message is a line of JSON (Node's
// default serialization, lib/internal/child_process/serialization.js). Of all messages only the
// string "ready" means something here, as to PM2; the others are read and dropped.
#ifndef GW_SUPERVISOR_NODE_IPC_H
#define GW_SUPERVISOR_NODE_IPC_H

#include <uv.h>

struct node_ipc;

// Reads fd (taken) on the loop; on_ready comes for every "ready" and must not close the channel.
struct node_ipc *node_ipc_open(uv_loop_t *loop, int fd, void (*on_ready)(void *context),
                               void *context);

// Its fd, to store it in the keeper: while somebody holds it, the process does not see its parent
// disconnect. Borrowed.
int node_ipc_fd(const struct node_ipc *ipc);

// NULL is allowed. The memory goes in the loop's close callback.
void node_ipc_close(struct node_ipc *ipc);

#endif
