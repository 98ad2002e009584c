// Kills a tree until nothing of it is found: a process may fork between a look and its signal, and
// one that is killed keeps its ports until the kernel has taken it apart.

#include "leftovers.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

enum { LOOK_MS = 5, LIMIT_MS = 2000 };

struct leftovers {
    struct process_tree tree;
    struct process_identity *members; // found so far
    size_t count;
    const char *label;
    void (*on_gone)(void *context);
    void *context;
    uint64_t since_ms;
    uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
    struct leftovers *leftovers = handle->data;
    free(leftovers->members);
    free(leftovers);
}

// Those that were found before are not always found again: see process_tree_find.
static size_t kill_known(struct leftovers *leftovers)
{
    size_t left = 0;
    for (size_t i = 0; i < leftovers->count; i++) {
        if (process_tree_kill_member(&leftovers->members[i]))
            leftovers->members[left++] = leftovers->members[i];
    }
    leftovers->count = left;
    return left;
}

// Only when those are gone, so that none is counted twice.
static size_t kill_new(struct leftovers *leftovers)
{
    free(leftovers->members);
    leftovers->count = process_tree_find(&leftovers->tree, &leftovers->members);
    return kill_known(leftovers);
}

static void on_look(uv_timer_t *timer)
{
    struct leftovers *leftovers = timer->data;
    bool over = clock_mono_ms() - leftovers->since_ms >= LIMIT_MS;
    size_t left = kill_known(leftovers);

    if (left == 0)
        left = kill_new(leftovers);
    if (left > 0 && !over)
        return;
    if (left > 0)
        log_error("%s: %zu of its processes do not end by SIGKILL", leftovers->label, left);
    leftovers->on_gone(leftovers->context);
    uv_close((uv_handle_t *)timer, on_closed);
}

bool leftovers_possible(const struct process *ended, const struct keeper_link *keeper)
{
    return process_is_adopted(ended) || !keeper_link_connected(keeper) ||
           !procinfo_only_child(getppid(), getpid());
}

bool leftovers_end(uv_loop_t *loop, const struct process_tree *tree, const char *label,
                   void (*on_gone)(void *context), void *context)
{
    struct process_identity *members;
    size_t count = process_tree_find(tree, &members);
    if (count == 0) {
        free(members);
        return true;
    }
    log_info("%s: %zu %s that it left behind: SIGKILL", label, count,
             count == 1 ? "process" : "processes");
    struct leftovers *leftovers = mem_zalloc(1, sizeof *leftovers);
    *leftovers = (struct leftovers){.tree = *tree,
                                    .members = members,
                                    .count = count,
                                    .label = label,
                                    .on_gone = on_gone,
                                    .context = context,
                                    .since_ms = clock_mono_ms()};
    uv_timer_init(loop, &leftovers->timer);
    leftovers->timer.data = leftovers;
    kill_known(leftovers);
    uv_timer_start(&leftovers->timer, on_look, LOOK_MS, LOOK_MS);
    return false;
}
