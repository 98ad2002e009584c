// Reads what /proc tells of processes.
//
// Not its job: to judge the numbers. A process can end between any two steps here: whatever cannot
// be read does not exist.

#include "common/procinfo.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

int procinfo_parse(const char *text, struct procinfo *info)
{
    // The program's name stands in parentheses and may hold any byte: the last ')' ends it.
    const char *rest = strrchr(text, ')');
    uint64_t user, system, start;
    int64_t pages;
    int pid, parent, session;

    if (!rest || sscanf(text, "%d (", &pid) != 1)
        return -1;
    if (sscanf(rest,
               ") %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
               " %*d %*d %*d %*d %*d %*d %" SCNu64 " %*u %" SCNd64,
               &info->state, &parent, &session, &user, &system, &start, &pages) != 7)
        return -1;
    info->pid = pid;
    info->parent = parent;
    info->session = session;
    info->start_ticks = start;
    info->cpu_ms = (user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    info->rss_bytes = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
    return 0;
}

static int read_at(int folder, const char *path, struct procinfo *info)
{
    char text[1024];
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd == -1)
        return -1;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    return procinfo_parse(text, info);
}

int procinfo_read(pid_t pid, struct procinfo *info)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return read_at(AT_FDCWD, path, info);
}

static bool is_dead(const struct procinfo *info)
{
    return info->state == 'Z' || info->state == 'X';
}

bool procinfo_lives(pid_t pid, uint64_t start_ticks)
{
    struct procinfo info;
    return procinfo_read(pid, &info) == 0 && info.start_ticks == start_ticks && !is_dead(&info);
}

bool procinfo_only_child(pid_t parent, pid_t child)
{
    char path[48], text[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    char *end;
    return strtol(text, &end, 10) == child && strcmp(end, " ") == 0;
}

// The next living process, or false at the end.
static bool next_process(DIR *proc, struct procinfo *info)
{
    const struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        char path[sizeof entry->d_name + 8];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "%s/stat", entry->d_name);
        if (read_at(dirfd(proc), path, info) == 0 && !is_dead(info))
            return true;
    }
    return false;
}

size_t procinfo_list(struct procinfo **list)
{
    DIR *proc = opendir("/proc");
    size_t count = 0, room = 0;

    *list = NULL;
    while (proc) {
        if (count == room) {
            room = room ? room * 2 : 256;
            *list = mem_realloc(*list, room * sizeof **list);
        }
        if (!next_process(proc, &(*list)[count]))
            break;
        ++count;
    }
    if (proc)
        closedir(proc);
    return count;
}

uint64_t procinfo_parse_private(const char *text)
{
    uint64_t bytes = 0, kilobytes;
    for (const char *at = text; (at = strstr(at, "\nPrivate_")) != NULL; at++) {
        if (sscanf(at, "\nPrivate_%*[A-Za-z]: %" SCNu64 " kB", &kilobytes) == 1)
            bytes += kilobytes * 1024;
    }
    return bytes;
}

uint64_t procinfo_private_bytes(pid_t pid)
{
    char path[32], text[2048];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return procinfo_parse_private(text);
}

// /proc/PID/environ is a row of NUL-terminated strings.
bool procinfo_variable(pid_t pid, const char *name, char *value, size_t size)
{
    size_t length = strlen(name), room = 0;
    char path[32], *assignment = NULL;
    bool found = false;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    FILE *environment = fopen(path, "re");
    while (environment && !found && getdelim(&assignment, &room, '\0', environment) > 0) {
        found = strncmp(assignment, name, length) == 0 && assignment[length] == '=';
        if (found)
            snprintf(value, size, "%s", assignment + length + 1);
    }
    free(assignment);
    if (environment)
        fclose(environment);
    return found;
}

size_t procinfo_with_variable(const char *name, const char *value, pid_t *pids, size_t limit)
{
    DIR *proc = opendir("/proc");
    struct procinfo info;
    char text[256];
    size_t count = 0;

    while (proc && next_process(proc, &info)) {
        if (!procinfo_variable(info.pid, name, text, sizeof text) || strcmp(text, value) != 0)
            continue;
        if (count < limit)
            pids[count] = info.pid;
        ++count;
    }
    if (proc)
        closedir(proc);
    return count;
}
