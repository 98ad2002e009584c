// The JSON documents for people: /stats, /performance, /errors and /history. All but the history
// leave out what was counted before the last reset.
#ifndef GW_METRICSD_VIEWS_H
#define GW_METRICSD_VIEWS_H

#include "common/buf.h"
#include "facts.h"

struct json_object;

struct moment {
    uint64_t mono_ms; // clock_mono_ms
    uint64_t wall_ms; // clock_wall_ms
};

// Each writes a whole document, from what merge_read has read last.
void view_stats(const struct facts *facts, struct moment now, struct buf *out);
void view_performance(const struct facts *facts, struct moment now, struct buf *out);

// query: "class=server|client|all" (server), "limit=N" (100). -1: a parameter is not valid.
int view_errors(const struct facts *facts, const char *query, struct buf *out);

// query: "range=1h|24h" (1h), "series=NAME,NAME..." (all). -1: a parameter is not valid.
int view_history(const struct facts *facts, const char *query, struct moment now, struct buf *out);

// --- parts --------------------------------------------------------------------------------------

// The routes that were asked for most, and those that took longest, ten at the most. New arrays.
struct json_object *routes_top(const struct facts *facts);
struct json_object *routes_slowest(const struct facts *facts);

// When the counting of these documents began.
uint64_t view_since_ms(const struct facts *facts);

// The value of a parameter of a query, up to the next '&', its length in *length; NULL: it has
// none.
const char *view_parameter(const char *query, const char *name, size_t *length);

// Appends the document and drops it.
void view_write(struct json_object *document, struct buf *out);

#endif
