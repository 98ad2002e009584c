// Makes and maps the metrics page; reads columns without trusting them.

#include "common/metrics_page.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/sealed_memory.h"

static uint32_t header_checksum(const struct metrics_page *page)
{
    return XXH32(page, offsetof(struct metrics_page, checksum), 0);
}

static void *map_page(int fd)
{
    return mmap(NULL, sizeof(struct metrics_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static int write_header(int fd, uint64_t now_wall_ms, struct err *err)
{
    struct metrics_page *page = map_page(fd);
    if (page == MAP_FAILED)
        return err_set_errno(err, "metrics page");
    page->magic = METRICS_MAGIC;
    page->version = METRICS_VERSION;
    page->columns = STATE_COLUMNS;
    page->size = sizeof *page;
    page->created_ms = now_wall_ms;
    if (getrandom(page->key, sizeof page->key, 0) != sizeof page->key) {
        munmap(page, sizeof *page);
        return err_set_errno(err, "metrics page: random key");
    }
    page->checksum = header_checksum(page);
    munmap(page, sizeof *page);
    return 0;
}

int metrics_page_create(uint64_t now_wall_ms, struct err *err)
{
    int fd = sealed_memory_create("metrics", sizeof(struct metrics_page), err);
    if (fd == -1)
        return -1;
    if (write_header(fd, now_wall_ms, err) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

struct metrics_page *metrics_page_map(int fd, struct err *err)
{
    if (!sealed_memory_has_size(fd, sizeof(struct metrics_page))) {
        err_set(err, "metrics page: not of the size that this version uses");
        return NULL;
    }
    struct metrics_page *page = map_page(fd);
    if (page == MAP_FAILED) {
        err_set_errno(err, "metrics page");
        return NULL;
    }
    if (page->magic != METRICS_MAGIC || page->version != METRICS_VERSION ||
        page->columns != STATE_COLUMNS || page->size != sizeof *page ||
        page->checksum != header_checksum(page)) {
        munmap(page, sizeof *page);
        err_set(err, "metrics page: another version or damaged");
        return NULL;
    }
    return page;
}

void metrics_page_unmap(struct metrics_page *page)
{
    if (page)
        munmap(page, sizeof *page);
}

// --- reading ------------------------------------------------------------------------------------

uint32_t metrics_column_cells(const struct metrics_column *column)
{
    uint32_t count = atomic_load_explicit(&column->cell_count, memory_order_acquire);
    return count < METRICS_CELLS ? count : METRICS_CELLS;
}

const char *metrics_column_name(const struct metrics_column *column, uint32_t name, size_t *length)
{
    uint32_t used = atomic_load_explicit(&column->names_used, memory_order_acquire);
    if (used > METRICS_NAMES_SIZE)
        used = METRICS_NAMES_SIZE;
    if (name == 0 || name >= used)
        return NULL;
    *length = (unsigned char)column->names[name];
    return *length < used - name ? column->names + name + 1 : NULL;
}

enum { ANY_FIRST = UINT16_MAX + 1 };

uint64_t metrics_column_sum_of(const struct metrics_column *column, enum metric_family family,
                               unsigned first)
{
    uint64_t sum = 0;
    uint32_t count = metrics_column_cells(column);
    for (uint32_t i = 0; i < count; i++) {
        const struct metric_cell *cell = &column->cells[i];
        if (cell->key.family == family && (first == ANY_FIRST || cell->key.first == first))
            sum += atomic_load_explicit(&cell->value, memory_order_relaxed);
    }
    return sum;
}

uint64_t metrics_column_sum(const struct metrics_column *column, enum metric_family family)
{
    return metrics_column_sum_of(column, family, ANY_FIRST);
}

size_t metrics_read_errors(const struct metric_error_ring *ring, struct metric_error *out)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    uint64_t kept = written < METRICS_ERRORS ? written : METRICS_ERRORS;
    size_t count = 0;
    for (uint64_t back = 0; back < kept; back++) {
        uint64_t at = written - 1 - back;
        out[count] = ring->slot[at % METRICS_ERRORS];
        atomic_thread_fence(memory_order_acquire);
        uint64_t begun = atomic_load_explicit(&ring->begun, memory_order_relaxed);
        if (begun - at > METRICS_ERRORS)
            break; // it was being overwritten, as all older ones are by now
        count++;
    }
    return count;
}

// --- words --------------------------------------------------------------------------------------

static const char *const methods[METHOD_COUNT] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",     [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",         [METHOD_DELETE] = "DELETE", [METHOD_PATCH] = "PATCH",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_PURGE] = "PURGE",   [METHOD_OTHER] = "OTHER",
};

static const char *const failures[FAILURE_COUNT] = {
    [FAILURE_CONNECT] = "connect",       [FAILURE_CONNECT_TIMEOUT] = "connect_timeout",
    [FAILURE_TIMEOUT] = "timeout",       [FAILURE_CLOSED] = "closed",
    [FAILURE_BAD_ANSWER] = "bad_answer",
};

static const char *const cache_results[CACHE_COUNT] = {
    [CACHE_HIT] = "hit",
    [CACHE_MISS] = "miss",
    [CACHE_STALE] = "stale",
    [CACHE_BYPASS] = "bypass",
};

enum metric_method metric_method(const char *text, size_t length)
{
    if (length == 3 && memcmp(text, "GET", 3) == 0)
        return METHOD_GET; // most are
    for (unsigned i = 0; i < METHOD_OTHER; i++)
        if (strlen(methods[i]) == length && memcmp(methods[i], text, length) == 0)
            return i;
    return METHOD_OTHER;
}

const char *metric_method_name(unsigned method)
{
    return methods[method < METHOD_COUNT ? method : METHOD_OTHER];
}

const char *metric_failure_name(unsigned failure)
{
    return failure < FAILURE_COUNT ? failures[failure] : "unknown";
}

const char *metric_cache_name(unsigned result)
{
    return result < CACHE_COUNT ? cache_results[result] : "unknown";
}
