// Reads /proc. A process can end between any two steps here: what cannot be read is left out.
#include "procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/procinfo.h"

enum { TEXT_SIZE = 2048 };

static bool read_text(pid_t pid, const char *file, char text[TEXT_SIZE])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t length = read(fd, text, TEXT_SIZE - 1);
    close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    return true;
}

bool procfs_parse_rollup(const char *text, struct procfs_sample *sample)
{
    uint64_t kilobytes;
    const char *line = strstr(text, "\nPss:");
    if (!line || sscanf(line, "\nPss: %" SCNu64 " kB", &kilobytes) != 1)
        return false;
    sample->pss_bytes = kilobytes * 1024;
    return true;
}

static bool count_fds(pid_t pid, uint64_t *count)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    const struct dirent *entry;
    *count = 0;
    while ((entry = readdir(folder)) != NULL)
        *count += entry->d_name[0] != '.';
    closedir(folder);
    return true;
}

int procfs_read(pid_t pid, struct procfs_sample *sample)
{
    struct procinfo info;
    char text[TEXT_SIZE];
    if (procinfo_read(pid, &info) != 0)
        return -1;
    *sample = (struct procfs_sample){
        .start_ticks = info.start_ticks, .cpu_us = info.cpu_ms * 1000, .rss_bytes = info.rss_bytes};
    sample->has_pss = read_text(pid, "smaps_rollup", text) && procfs_parse_rollup(text, sample);
    sample->has_fds = count_fds(pid, &sample->fds);
    return 0;
}
