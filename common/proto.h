// What processes of gwctl say to each other: one JSON object a line on control.sock.
//
//   request   {"id":1,"cmd":"reload","args":{...}}
//   progress  {"id":1,"progress":"api#0: ready after 212 ms (http)"}         any number, in between
//   answer    {"id":1,"ok":true, ...}   or   {"id":1,"ok":false,"error":"api: no such app"}
//   push      {"cmd":"endpoints","args":{...}}                               no id: no answer
//
// Peers may be one version apart: an unknown member is ignored, an unknown command is answered with
// an error (a push: logged and ignored), a line that is no JSON object closes the connection.
//
// Commands of gwctl (uid of the supervisor, root, or a member of the group of GWCTL_GROUP):
//   ping                                          -> pid, version, protocol, keeper (its pid; 0:
//                                                    none), leftovers (processes that it ended when
//                                                    it started; see common/abandoned.h)
//   list                                          -> processes: [...] (the shape of `jlist`)
//   events   {lines, follow}                      -> events: [...], the last `lines` (50), the
//                                                    oldest first, and last, the number of the last
//                                                    one; with follow pushes after it
//   start    {document, file, environment} or {selectors}    -> progress; error when something did
//                                                             not start
//   restart  {document, file, environment} or {selectors}    "
//   reload   {document, file, environment} or {selectors}    "
//   stop     {selectors} or {names}               -> progress
//   delete   {selectors}                          "
//   scale    {selector, instances: "4"|"+2"|"-1"} "
//   update                                        -> progress; when it is answered with ok, the
//                                                    supervisor ends, and another takes over
//   kill                                          -> progress; the connection ends with the daemon
// `document` is a resolved ecosystem document (common/ecosystem.h); `file` names it in messages.
// `environment` is that of the command, an array of "NAME=value": what its apps' `env` is on top
// of. Not in it: what belongs to the one process that has it (LISTEN_*, NOTIFY_SOCKET,
// NODE_CHANNEL_*, GWCTL_HOME, GWCTL_APP, GWCTL_ID, _), and what is not UTF-8, which JSON cannot
// hold. `selectors` is an array of names, ids (as text) and "all".
//
// Worker verbs (a process that the supervisor spawned; known by its pid, SO_PEERCRED):
//   register {role:"gateway", protocol, version}  -> column, endpoints, document
//   register {role:"cachesvc", protocol, version} -> document
//   register {role:"metricsd", protocol, version} -> document, endpoints, processes
//   endpoints_ack {generation}                    push: nothing of older generations is picked now
//   event {source, name, text}                    push: people are told of it (`events`).
//                                                 "redis": "connect", "error", "close";
//                                                 "breaker": "open", "closed", with its name first;
//                                                 "metrics": "reset"
// A role is that of the process itself. Pushes to a gateway worker and to metricsd:
//   endpoints {generation, upstreams: {"api": [{name, address, index}]}}     the whole set, always
// Pushes to metricsd, which nobody waits for:
//   processes {processes: [{app, id, role, pid, state, column, started_ms, restarts: {crash: 2},
//     log_lines_lost, memory_limit}]}
//     the whole list, whenever it changes: one a slot, the process that serves (not those that a
//     reload brings in or takes out). role: "app" or whose program it is; pid 0: none; state:
//     "launching", "online", "stopping", "stopped", "waiting restart" or "errored"; column: of the
//     state page, -1: none; started_ms: wall clock, 0: none; restarts: since the slot began, all
//     reasons: "crash", "exit", "not_ready", "hung", "health", "memory", "manual", "reload";
//     log_lines_lost: that no log file took; memory_limit: max_memory_restart in bytes, 0: none
// `document` of metricsd is the gateway's, when there is one: with another one its connection is
// closed, so that it registers again.
// Pushes to a gateway worker:
//   slot_take {name, fd}    accept on this socket too; the socket comes with the line (SCM_RIGHTS)
//   slot_give {name}        stop accepting on it
// Pushes to gwctl that follows events, one each (text may be empty; app and id are left out where
// there is none):
//   event {number, time_ms, source, name, app, id, text}
#ifndef GW_COMMON_PROTO_H
#define GW_COMMON_PROTO_H

#define PROTO_VERSION 1

enum { PROTO_LINE_MAX = 8 << 20 }; // a longer line closes the connection
enum { PROTO_EVENT_SIZE = 256 };   // of an event's text, with its NUL; a longer one is cut

// Exit codes of gwctl.
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

// Names of inherited file descriptors (LISTEN_FDNAMES; ':' cannot be part of one).
//   listen.<n>          the slot's socket of the gateway's n-th listener
//   state               the state page
//   cache               the cache segment: cachesvc may write it, gateway workers read it only
//   cache.sock          cachesvc's listening socket
//   metrics             the metrics page: gateway workers count there, metricsd sums up
//   metrics.sock        metricsd's listening socket
//   history             memory of PROTO_HISTORY_SIZE bytes that is metricsd's alone and outlives it
#define FD_LISTEN_PREFIX "listen."
#define FD_STATE "state"
#define FD_CACHE "cache"
#define FD_CACHE_SOCKET "cache.sock"
#define FD_METRICS "metrics"
#define FD_METRICS_SOCKET "metrics.sock"
#define FD_HISTORY "history"

enum { PROTO_HISTORY_SIZE = 8 << 20 };

// Environment of supervised processes, beside PORT, HOST, LISTEN_*, NOTIFY_SOCKET and instance_var.
#define ENV_HOME "GWCTL_HOME"
#define ENV_GROUP "GWCTL_GROUP" // whose members may use control.sock; not handed to apps
#define ENV_APP "GWCTL_APP"     // the app's name
#define ENV_ID "GWCTL_ID"       // the process's id in `gwctl list`
#define ENV_SPAWN "GWCTL_SPAWN" // this start of it and no other: 16 random hexadecimal digits

// --- keeper and supervisor ----------------------------------------------------------------------
// One inherited SOCK_SEQPACKET pair; a message a packet.
//   supervisor -> keeper  "FDSTORE=1\nFDNAME=<name>"        with one fd; replaces one of that name
//                         "FDSTOREREMOVE=1\nFDNAME=<name>"
//                         "UPDATE=1"       end me, execute gw-keeper and gw-supervisor anew
//   keeper -> supervisor  "EXIT <pid> <status>"             status as waitpid(2) gives it
// A new supervisor finds its fds by LISTEN_FDS and LISTEN_FDNAMES, the pair among them as KEEPER.
#define FD_KEEPER "keeper"
// The listening socket of control.sock: when a supervisor has left (KEEPER_EXIT_LEFT), the first
// who connects to it brings the next one.
#define FD_CONTROL "control"
#define FD_NOTIFY "notify" // the socket at NOTIFY_SOCKET
// From a keeper to the one that it executes in its own place, beside the above: its end of the
// pair, and the program of the supervisor that it ended, for the case that its successor dies
// young.
#define FD_KEEPER_END "keeper.end"
#define FD_FALLBACK "fallback"

enum {
    KEEPER_NAME_MAX = 255,
    KEEPER_FDS_MAX = 4096,
    KEEPER_EXIT_FINAL = 78, // a supervisor that exits with this (or 0) is not restarted
    KEEPER_EXIT_LEFT = 79   // nor is this one before somebody wants it; what it had goes on
};

#endif
