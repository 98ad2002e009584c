// What looks at every key and would take too long at one go: KEYS, CACHE.DELPATTERN,
// CACHE.INVALIDATE. Done in steps; other commands run in between. No I/O.
#ifndef GW_CACHESVC_JOB_H
#define GW_CACHESVC_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "store.h"

struct job;

enum job_kind { JOB_LIST, JOB_DELETE };

// Lists or deletes the keys that match any of the patterns that are added. A list longer than
// reply_max bytes becomes an error.
struct job *job_new(enum job_kind kind, size_t reply_max);
void job_free(struct job *job); // NULL is allowed

// Copies the pattern; `prefix` is taken literally.
void job_add_pattern(struct job *job, const char *pattern, size_t length);
void job_add_prefix(struct job *job, const char *prefix, size_t length);

// So many keys were deleted already.
void job_add_deleted(struct job *job, uint64_t deleted);

// Of the deleted keys so many, or more, were in Redis; those here were there too.
void job_set_purged(struct job *job, uint64_t purged);

// One step, a fraction of a millisecond. Returns whether more are needed.
bool job_step(struct job *job, struct store *store, uint64_t now_ms);

// Of a job without further steps.
void job_reply(const struct job *job, struct buf *out);

#endif
