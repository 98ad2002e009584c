// Reads /proc/PID/stat.
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

void procinfo_tree(struct procinfo_session *sessions, size_t count)
{
    DIR *proc = opendir("/proc");
    struct procinfo info;

    for (size_t i = 0; i < count; ++i)
        sessions[i] = (struct procinfo_session){.session = sessions[i].session};
    while (proc && next_process(proc, &info)) {
        for (size_t i = 0; i < count; ++i) {
            if (sessions[i].session != info.session)
                continue;
            sessions[i].processes++;
            sessions[i].cpu_ms += info.cpu_ms;
            sessions[i].rss_bytes += info.rss_bytes;
        }
    }
    if (proc)
        closedir(proc);
}

size_t procinfo_children_of_session(pid_t session, pid_t *pids, size_t limit)
{
    DIR *proc = opendir("/proc");
    struct procinfo info;
    size_t count = 0;

    while (proc && next_process(proc, &info)) {
        if (info.session != session)
            continue;
        if (count < limit)
            pids[count] = info.pid;
        ++count;
    }
    if (proc)
        closedir(proc);
    return count;
}

// /proc/PID/environ is a row of NUL-terminated strings. Read in pieces that overlap by what could
// be cut.
static bool has_variable(pid_t pid, const char *assignment)
{
    size_t wanted = strlen(assignment) + 1, held = 0;
    char path[32], text[4096 + 1];
    bool found = false;
    ssize_t count;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !found && (count = read(fd, text + held, sizeof text - held)) > 0) {
        held += (size_t)count;
        found = memmem(text, held, assignment, wanted) != NULL;
        size_t kept = held < wanted ? held : wanted;
        memmove(text, text + held - kept, kept);
        held = kept;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

size_t procinfo_with_variable(const char *assignment, pid_t *pids, size_t limit)
{
    DIR *proc = opendir("/proc");
    struct procinfo info;
    size_t count = 0;

    while (proc && next_process(proc, &info)) {
        if (!has_variable(info.pid, assignment))
            continue;
        if (count < limit)
            pids[count] = info.pid;
        ++count;
    }
    if (proc)
        closedir(proc);
    return count;
}
