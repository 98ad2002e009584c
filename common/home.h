// GWCTL_HOME: the folder that holds everything one supervisor owns. Default ~/.gwctl, mode 0700.
#ifndef GW_COMMON_HOME_H
#define GW_COMMON_HOME_H

#include <sys/types.h>

#include "common/err.h"

// The files of a home, by their fixed names (docs/ARCHITECTURE.md lists them).
enum home_file {
    HOME_ROOT,       // the folder itself
    HOME_CONTROL,    // control.sock
    HOME_LEFT,       // left.sock: control.sock, while no supervisor runs and its apps do
    HOME_CACHE,      // cache.sock
    HOME_METRICS,    // metrics.sock
    HOME_PID,        // gwctl.pid: the supervisor's pid
    HOME_DAEMON_LOG, // logs/gwctl.log: the supervisor's own log
    HOME_LOGS,       // logs/
    HOME_RUN,        // run/
    HOME_LOCK,       // run/lock: held while a supervisor or its keeper lives
    HOME_NOTIFY,     // run/notify.sock: NOTIFY_SOCKET of every child
};

// Finds the home ($GWCTL_HOME, else $HOME/.gwctl, else the passwd entry) and remembers where it is;
// a relative one is of the working directory. Makes nothing. Its path must leave room for socket
// names in sun_path.
int home_find(struct err *err) GW_MUST_USE;

// The same, and makes it and its folders where missing (0700).
int home_open(struct err *err) GW_MUST_USE;

// No group but the owner's user: what home_share finds without a group.
#define HOME_NO_GROUP ((gid_t)-1)

// Lets the group that GWCTL_GROUP names (a name or a number) into the home and, when it is there,
// to control.sock: 0750 and 0660. *group is that group, or HOME_NO_GROUP, and nothing is changed.
// -1 with err, *group HOME_NO_GROUP: there is no such group, or it is not ours to give.
int home_share(gid_t *group, struct err *err) GW_MUST_USE;

// The absolute path of a file of the home; valid until the next home_find. After home_find.
const char *home_path(enum home_file file);

#endif
