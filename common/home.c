// Where the files of one supervisor are.

#include "common/home.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proto.h"

static const char *const names[] = {
    [HOME_ROOT] = "",
    [HOME_CONTROL] = "/control.sock",
    [HOME_LEFT] = "/left.sock",
    [HOME_CACHE] = "/cache.sock",
    [HOME_METRICS] = "/metrics.sock",
    [HOME_PID] = "/gwctl.pid",
    [HOME_DAEMON_LOG] = "/logs/gwctl.log",
    [HOME_LOGS] = "/logs",
    [HOME_RUN] = "/run",
    [HOME_LOCK] = "/run/lock",
    [HOME_NOTIFY] = "/run/notify.sock",
};

enum { FILES = sizeof names / sizeof *names };

static char *paths[FILES];

// A folder that does not exist yet has no realpath.
static char *make_absolute(const char *path)
{
    char *real = realpath(path, NULL);
    char *here = real ? NULL : getcwd(NULL, 0);
    char *joined = here ? mem_printf("%s%s%s", here, strcmp(here, "/") ? "/" : "", path) : real;
    free(here);
    return joined;
}

static char *find_root(void)
{
    const char *set = getenv("GWCTL_HOME");
    if (set && *set)
        return set[0] == '/' ? mem_strdup(set) : make_absolute(set);
    const char *user = getenv("HOME");
    if (!user || !*user) {
        const struct passwd *entry = getpwuid(getuid());
        user = entry ? entry->pw_dir : NULL;
    }
    return user && *user ? mem_printf("%s/.gwctl", user) : NULL;
}

static int make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0700) == -1 && errno != EEXIST)
        return err_set_errno(err, "%s", path);
    return 0;
}

int home_find(struct err *err)
{
    char *root = find_root();
    if (!root)
        return err_set(err, "no home folder: set GWCTL_HOME to an absolute path");
    for (size_t i = 0; i < FILES; i++) {
        free(paths[i]);
        paths[i] = mem_printf("%s%s", root, names[i]);
    }
    free(root);
    if (strlen(paths[HOME_NOTIFY]) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return err_set(err, "%s: too long, sockets in it could not be named", paths[HOME_ROOT]);
    return 0;
}

int home_open(struct err *err)
{
    if (home_find(err) == -1)
        return -1;
    if (make_folder(paths[HOME_ROOT], err) == -1 || make_folder(paths[HOME_LOGS], err) == -1 ||
        make_folder(paths[HOME_RUN], err) == -1)
        return -1;
    return 0;
}

static int find_group(const char *name, gid_t *group, struct err *err)
{
    char *end;
    const struct group *entry = getgrnam(name);
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = *name >= '0' && *name <= '9' && *end == '\0' && number < HOME_NO_GROUP;
    if (!entry && !is_number)
        return err_set(err, ENV_GROUP ": there is no group \"%.80s\"", name);
    *group = entry ? entry->gr_gid : (gid_t)number;
    return 0;
}

static int give(const char *path, gid_t group, mode_t mode, struct err *err)
{
    if (chown(path, (uid_t)-1, group) == -1 || chmod(path, mode) == -1)
        return err_set_errno(err, ENV_GROUP ": %s", path);
    return 0;
}

int home_share(gid_t *group, struct err *err)
{
    const char *name = getenv(ENV_GROUP);
    gid_t found;
    *group = HOME_NO_GROUP;
    if (!name || !*name)
        return 0;
    if (find_group(name, &found, err) == -1 || give(paths[HOME_ROOT], found, 0750, err) == -1)
        return -1;
    if (access(paths[HOME_CONTROL], F_OK) == 0 && give(paths[HOME_CONTROL], found, 0660, err) == -1)
        return -1;
    *group = found;
    return 0;
}

const char *home_path(enum home_file file)
{
    return paths[file];
}
