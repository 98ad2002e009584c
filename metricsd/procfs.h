// What the kernel says about a process, beyond what common/procinfo.h reads.
#ifndef GW_METRICSD_PROCFS_H
#define GW_METRICSD_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct procfs_sample {
    uint64_t start_ticks; // after the boot: tells processes of one pid apart
    uint64_t cpu_us;
    uint64_t rss_bytes;
    uint64_t pss_bytes; // valid with has_pss: other users' processes may refuse it
    uint64_t fds;       // valid with has_fds, likewise
    bool has_pss, has_fds;
};

// -1: there is no such process.
int procfs_read(pid_t pid, struct procfs_sample *sample);

// A part of it, of the text of /proc/PID/smaps_rollup. false: that is none.
bool procfs_parse_rollup(const char *text, struct procfs_sample *sample);

#endif
