// The metrics page: what gateway workers count, in memory that outlives them. A memfd made by the
// supervisor (sealed GROW and SHRINK, kept by the keeper) and mapped by every gateway worker and by
// metricsd.
//
// One column a worker process, of the same index as its column of the state page: its only writer
// is that process, so a counter is a load and a store. A column is *not* cleared when its process
// ends: the next one that gets the column counts on. So the sum over all columns is the total at
// any time, whoever has died, and never goes back. (What ends with a process, as its open
// connections do, is in the state page.)
//
// A column is a list of cells, which are appended and never go: a key that says what is counted,
// and a number. The texts of labels are appended to the column's names, and known by where they
// begin. Whoever appends writes the new one first, then the number of them: a kill in between
// leaves nothing.
//
// A request is counted in *one* cell, of METRIC_REQUESTS: by route, method, status and how long it
// took. All sums over these, and the counts of a histogram are such sums, agree with each other in
// every look at the page, whoever counts meanwhile and whatever is killed when.
//
// What a worker wrote is foreign input to whoever reads it: numbers may be nonsense, offsets and
// lengths are checked. Memory of columns that nobody opened does not exist, and is not touched.
#ifndef GW_COMMON_METRICS_PAGE_H
#define GW_COMMON_METRICS_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/layout.h"
#include "common/state_page.h"

#define METRICS_MAGIC UINT64_C(0x314d455254454d47) // "GMETREM1"
#define METRICS_VERSION LAYOUT_VERSION(2)

enum {
    METRICS_CELLS = 1 << 16, // of a column
    METRICS_NAMES_SIZE = 256 << 10,
    METRICS_NAME_MAX = 255,        // bytes of a name; a longer one is cut
    METRICS_OVERFLOW_CELLS = 2048, // of them are for what finds no place any more
    METRICS_ERRORS = 64,           // records kept of each kind, a column
    METRICS_BASELINES = 2,
    METRICS_KEY_SIZE = 32,
};

// What is counted. The labels of each: name[0], name[1] | first, second, bound.
enum metric_family {
    METRIC_NONE,
    METRIC_REQUESTS,          // route | method, status, bound: answers
    METRIC_DURATION,          // | bucket: how long they took, from the request's head
    METRIC_DURATION_SUM,      // route: µs
    METRIC_RESPONSE_BYTES,    // route: of bodies, as sent
    METRIC_UPSTREAM_REQUESTS, // upstream, endpoint | status: answers of an endpoint
    METRIC_UPSTREAM_DURATION, // upstream | bound: from the request sent to the end of the answer
    METRIC_UPSTREAM_DURATION_SUM, // upstream: µs
    METRIC_UPSTREAM_FAILURES,     // upstream, endpoint | enum metric_failure
    METRIC_RETRIES,               // upstream: tries beyond a request's first
    METRIC_CACHE,                 // route | enum metric_cache: what the response cache did
    METRIC_CACHE_WAITS,           // that waited for a reply of cachesvc for 5 ms or longer
    METRIC_CONNECTIONS,           // of clients, accepted
    METRIC_ACCESS_LOG_DROPPED,    // lines that nobody took in time
    METRIC_OVERFLOWS,             // counted in an overflow cell, since there was no place
    METRIC_FAMILIES
};

// A route that is no route.
#define METRIC_ROUTE_UNMATCHED "unmatched"         // refused, or of no route
#define METRIC_ROUTE_OVERFLOW "overflow"           // there was no place for another
#define METRIC_ROUTE_HEALTH "gwctl_health"         // /health/...
#define METRIC_ROUTE_MONITORING "gwctl_monitoring" // /api/monitoring/...

enum metric_method { // of requests; others are METHOD_OTHER
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_PATCH,
    METHOD_OPTIONS,
    METHOD_PURGE,
    METHOD_OTHER,
    METHOD_COUNT
};

enum metric_failure {
    FAILURE_CONNECT, // refused or unreachable
    FAILURE_CONNECT_TIMEOUT,
    FAILURE_TIMEOUT, // of the answer
    FAILURE_CLOSED,  // before an answer, or within one
    FAILURE_BAD_ANSWER,
    FAILURE_COUNT
};

enum metric_cache { CACHE_HIT, CACHE_MISS, CACHE_STALE, CACHE_BYPASS, CACHE_COUNT };

struct metric_key {
    uint32_t name[2]; // of texts in the column's names; 0: none
    uint16_t family;
    uint16_t first, second; // 0 where the family has none
    uint16_t bound;         // histogram_bound of how long it took; 0 likewise
};

struct metric_cell {
    struct metric_key key;
    _Atomic uint64_t value;
};

// A request that failed, as /api/monitoring/errors shows it. Texts end with a NUL or fill their
// field; they are a client's and may hold anything.
struct metric_error {
    uint64_t wall_ms; // when it was answered
    uint64_t duration_us;
    uint16_t status;
    uint8_t method; // enum metric_method
    char path[225]; // without its query
    char user_agent[128];
    char ip[48]; // or its hash
};

enum metric_error_kind { ERRORS_SERVER, ERRORS_CLIENT, ERRORS_KINDS }; // 5xx, 4xx

// The last METRICS_ERRORS. The writer adds 1 to `begun`, writes slot[(begun - 1) % METRICS_ERRORS],
// then sets `written` to `begun`: a slot that was overwritten while it was copied shows by `begun`.
struct metric_error_ring {
    _Atomic uint64_t begun, written;
    struct metric_error slot[METRICS_ERRORS];
};

struct metrics_column {
    _Atomic uint32_t cell_count;
    _Atomic uint32_t names_used; // bytes; the first is not used
    struct metric_error_ring errors[ERRORS_KINDS];
    char names[METRICS_NAMES_SIZE]; // each: its length in one byte, its bytes
    struct metric_cell cells[METRICS_CELLS];
};

struct metrics_page {
    uint64_t magic;
    uint32_t version;
    uint32_t columns;
    uint64_t size;                         // of the page
    uint64_t created_ms;                   // clock_wall_ms: since when is counted
    uint8_t key[METRICS_KEY_SIZE];         // random: what addresses are hashed with
    uint32_t checksum;                     // over the fields before it
    _Atomic uint8_t opened[STATE_COLUMNS]; // 1: somebody has counted there
    // What the JSON views leave out of their sums since the last reset: written by metricsd, in
    // turns, so that the one in use is always whole.
    _Atomic uint32_t baseline; // 0: none; else the baseline_column of this number - 1
    uint64_t baseline_ms[METRICS_BASELINES];
    _Alignas(4096) struct metrics_column baseline_column[METRICS_BASELINES];
    struct metrics_column column[STATE_COLUMNS];
};

// A new page, as state_page_create. Returns the fd or -1.
int metrics_page_create(uint64_t now_wall_ms, struct err *err) GW_MUST_USE;

// Maps a page read-write and checks size and header. Borrows fd. NULL on failure.
struct metrics_page *metrics_page_map(int fd, struct err *err) GW_MUST_USE;
void metrics_page_unmap(struct metrics_page *page); // NULL is allowed

// How many cells a reader may look at.
uint32_t metrics_column_cells(const struct metrics_column *column);

// The text of a name, and its length in *length; NULL: there is no such name.
const char *metrics_column_name(const struct metrics_column *column, uint32_t name, size_t *length);

// The sum of a family's cells in a column. For a look at one column; metricsd knows better.
uint64_t metrics_column_sum(const struct metrics_column *column, enum metric_family family);

// The same of those cells whose first label is this, such as CACHE_HIT.
uint64_t metrics_column_sum_of(const struct metrics_column *column, enum metric_family family,
                               unsigned first);

// Copies the records of a ring, the newest first, to `out` of METRICS_ERRORS; returns how many.
// Such as were being written are left out.
size_t metrics_read_errors(const struct metric_error_ring *ring, struct metric_error *out);

enum metric_method metric_method(const char *text, size_t length);
const char *metric_method_name(unsigned method);   // "GET"; "OTHER" for unknown ones
const char *metric_failure_name(unsigned failure); // "connect"; "unknown" for unknown ones
const char *metric_cache_name(unsigned result);    // "hit"; "unknown" for unknown ones

#endif
