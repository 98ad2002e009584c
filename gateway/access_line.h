// A line of the access log. Pure.
//
//   2026-01-15T10:30:00.000Z Worker ID 2 GET /api/services 200 12.345 ms 2345 B 127.0.0.1 HIT
//       route=services upstream=api#0                                    (in one line)
//   {"time":"2026-01-15T10:30:00.000Z","worker":2,"method":"GET","path":"/api/services",
//    "status":200,"duration_ms":12.345,"bytes":2345,"ip":"127.0.0.1","cache":"HIT",
//    "route":"services","upstream":"api","endpoint":"api#0","user_agent":"curl/8"}     (the same)
//
// What is not known is `-`, in JSON null. What others have written is cut when it is long (...),
// and what might be taken for something else in it is \x and two digits: a line is a line, a word a
// word, and JSON is UTF-8.
#ifndef GW_GATEWAY_ACCESS_LINE_H
#define GW_GATEWAY_ACCESS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/gateway_config.h"
#include "span.h"

enum { ACCESS_LINE_MAX = 16384, ACCESS_TAIL_MAX = 4096 };

// A request that is over. Texts may be empty: not known. `ip` and `cache` are our own, short and
// plain.
struct access_record {
    uint64_t wall_ms; // when it was
    struct span method;
    struct span path; // as access_path has it
    unsigned status;
    uint64_t duration_us;
    uint64_t bytes; // of the answer's body
    struct span ip;
    struct span cache;                     // "HIT"
    struct span route, upstream, endpoint; // where one was, there never is another text
    struct span user_agent;
};

// What is the same in many lines.
struct access_line {
    enum access_log_form form; // text or JSON
    struct span worker;        // its id in `gwctl list`: digits, or empty
    // The rest zero. The second that was written last, and its text.
    uint64_t second;
    char second_text[CLOCK_ISO_SIZE];
    // Route and server of the last line of text, and how it ended.
    struct span tail_route, tail_server;
    size_t tail_length;
    char tail[ACCESS_TAIL_MAX];
};

// What of a request's target is kept: its path. Not the query nor a fragment, which may be secrets,
// nor what stands before the path in an absolute one, as a password may.
struct span access_path(struct span target);

// Writes a record with its newline to `out` of ACCESS_LINE_MAX; returns the length.
size_t access_line_write(struct access_line *line, const struct access_record *record, char *out);

#endif
