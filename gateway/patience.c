// The course of a wait:
//
//   FRESH, IDLE --bytes--> HEAD --empty line--> BODY --> answered; patience_begin, IDLE
//       | limit              | limit              | no new bytes within the limit
//       v                    v                    v
//     closed             OVER (408)           OVER (408)
//
// Only the bytes themselves are looked at, for libh2o tells nobody how far it is: the head lies at
// the start of the input until the request is answered, the decoded part of the body behind it.
#include "patience.h"

#include <string.h>

enum { SHORTEST_INTERVAL_MS = 20, LONGEST_INTERVAL_MS = 1000 };

void patience_begin(struct patience *patience, bool is_fresh, uint64_t now_ms)
{
    *patience =
        (struct patience){.phase = is_fresh ? PATIENCE_FRESH : PATIENCE_IDLE, .since_ms = now_ms};
}

static void enter(struct patience *patience, enum patience_phase phase, uint64_t now_ms)
{
    patience->phase = phase;
    patience->since_ms = now_ms;
    patience->seen = 0;
}

// Is there an empty line? Bare LF counts, as libh2o takes it. Each byte is looked at once.
static bool has_head(struct patience *patience, struct span input)
{
    const char *end = input.bytes + input.length, *line = input.bytes + patience->seen;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (end - line >= 2 && line[1] == '\n')
            return true;
        if (end - line >= 3 && line[1] == '\r' && line[2] == '\n')
            return true;
        if (end - line < 3)
            break;
        ++line;
    }
    patience->seen = line == NULL ? input.length : (size_t)(line - input.bytes);
    return false;
}

static void follow(struct patience *patience, struct span input, uint64_t now_ms)
{
    if (patience->phase < PATIENCE_HEAD && input.length > 0)
        enter(patience, PATIENCE_HEAD, now_ms);
    if (patience->phase == PATIENCE_HEAD && has_head(patience, input))
        enter(patience, PATIENCE_BODY, now_ms);
    if (patience->phase == PATIENCE_BODY && input.length != patience->seen) {
        patience->seen = input.length;
        patience->since_ms = now_ms;
    }
}

enum patience_verdict patience_look(struct patience *patience, const struct patience_limits *limits,
                                    struct span input, uint64_t now_ms)
{
    follow(patience, input, now_ms);
    uint64_t waited_ms = now_ms - patience->since_ms;
    switch (patience->phase) {
    case PATIENCE_FRESH:
        return waited_ms < limits->head_ms ? PATIENCE_WAIT : PATIENCE_CLOSE;
    case PATIENCE_IDLE:
        return waited_ms < limits->idle_ms ? PATIENCE_WAIT : PATIENCE_CLOSE;
    case PATIENCE_HEAD:
    case PATIENCE_BODY:
        if (waited_ms < (patience->phase == PATIENCE_HEAD ? limits->head_ms : limits->body_ms))
            return PATIENCE_WAIT;
        patience->phase = PATIENCE_OVER;
        return PATIENCE_TIMEOUT;
    case PATIENCE_OVER:
        break;
    }
    return PATIENCE_WAIT;
}

bool patience_is_over(const struct patience *patience)
{
    return patience->phase == PATIENCE_OVER;
}

uint64_t patience_interval_ms(const struct patience_limits *limits)
{
    uint64_t shortest = limits->head_ms < limits->body_ms ? limits->head_ms : limits->body_ms;
    // 0: no keep-alive, nobody is ever idle.
    if (limits->idle_ms > 0 && limits->idle_ms < shortest)
        shortest = limits->idle_ms;
    if (shortest / 4 < SHORTEST_INTERVAL_MS)
        return SHORTEST_INTERVAL_MS;
    return shortest / 4 < LONGEST_INTERVAL_MS ? shortest / 4 : LONGEST_INTERVAL_MS;
}
