// Why a slot got another process in place of the one it had, as it is counted. Pure.
#ifndef GW_SUPERVISOR_RESTART_REASON_H
#define GW_SUPERVISOR_RESTART_REASON_H

enum restart_reason {
    RESTART_CRASH,     // a signal, or an exit code other than 0; also when nobody saw how it ended
    RESTART_EXIT,      // exit code 0
    RESTART_NOT_READY, // it did not become ready in time
    RESTART_HUNG,      // it did not react any more, and was ended for that
    RESTART_HEALTH,    // its probe failed too often
    RESTART_MEMORY,    // it used more than the app's cap
    RESTART_MANUAL,    // by command
    RESTART_RELOAD,    // a reload replaced it
    RESTART_REASONS,
    RESTART_NO_REASON = RESTART_REASONS // nothing has led to a restart yet
};

// Of a process that ended on its own; status as process_events.on_exit has it.
enum restart_reason restart_reason_of_exit(int status);

// "crash", "not_ready" ...: for lists and metrics. Not for RESTART_NO_REASON.
const char *restart_reason_name(enum restart_reason reason);

// The reason of that name, or RESTART_NO_REASON.
enum restart_reason restart_reason_find(const char *name);

#endif
