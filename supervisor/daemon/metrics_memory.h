// What metrics live in: the page where gateway workers count (common/metrics_page.h), what metricsd
// remembers, and metrics.sock's listening socket. The keeper holds them, so that no number is lost
// with a process.
#ifndef GW_SUPERVISOR_METRICS_MEMORY_H
#define GW_SUPERVISOR_METRICS_MEMORY_H

#include "common/err.h"

struct keeper_link;
struct metrics_page;

struct metrics_memory {
    int page_fd; // -1: not open
    struct metrics_page *page;
    int history_fd; // -1: there was no metricsd yet
    int socket_fd;  // -1: the same
};

void metrics_memory_init(struct metrics_memory *memory);

// Opens the page: takes over what an earlier supervisor left, or makes it. One that this version
// does not understand is replaced; who still counts there counts for nobody. -1 with err.
int metrics_memory_open_page(struct metrics_memory *memory, struct keeper_link *keeper,
                             struct err *err) GW_MUST_USE;

// Opens what metricsd needs beside it, as far as it is not open. -1 with err.
int metrics_memory_open_sidecar(struct metrics_memory *memory, struct keeper_link *keeper,
                                struct err *err) GW_MUST_USE;

// Closes the latter, here and in the keeper, and removes the socket. The page stays: workers count
// there whether anybody sums up or not.
void metrics_memory_close_sidecar(struct metrics_memory *memory, struct keeper_link *keeper);

// Closes the page here; the keeper's descriptor stays.
void metrics_memory_close_page(struct metrics_memory *memory);

#endif
