// Finds the trees of process_tree.h in one walk through /proc.
//
// Not its job: to wait until what it killed is gone (leftovers.c).
//
// The invariant: no stranger is ever signalled. What is found is known by pid and start, and the
// signal goes through a pidfd that was opened before the start was looked at again.

#include "process_tree.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proto.h"

enum { NOT_OURS = -2 }; // self and its ancestors, while they are assigned

static int by_pid(const void *a, const void *b)
{
    pid_t left = ((const struct procinfo *)a)->pid, right = ((const struct procinfo *)b)->pid;
    return (left > right) - (left < right);
}

// --- assignment ---------------------------------------------------------------------------------

struct assignment {
    const struct procinfo *list;
    size_t count;
    const struct process_tree *trees;
    size_t tree_count;
    int *owners;
};

// The index in the list, or count.
static size_t find(const struct assignment *all, pid_t pid)
{
    struct procinfo key = {.pid = pid};
    const struct procinfo *found =
        all->count > 0 ? bsearch(&key, all->list, all->count, sizeof key, by_pid) : NULL;
    return found ? (size_t)(found - all->list) : all->count;
}

static void mark_ancestors(struct assignment *all, pid_t self)
{
    for (size_t i = find(all, self); i < all->count && all->owners[i] != NOT_OURS;
         i = find(all, all->list[i].parent))
        all->owners[i] = NOT_OURS;
}

// The leader's pid may be another process by now. While its session has members, no process gets
// its pid; so then the session is not what it was either.
static bool session_is_ours(const struct assignment *all, const struct process_tree *tree)
{
    size_t leader = find(all, tree->leader.pid);
    return leader == all->count || all->list[leader].start_ticks == tree->leader.start_ticks;
}

static void mark_sessions(struct assignment *all)
{
    for (size_t t = 0; t < all->tree_count; t++) {
        const struct process_tree *tree = &all->trees[t];
        if (tree->leader.pid <= 0 || !session_is_ours(all, tree))
            continue;
        for (size_t i = 0; i < all->count; i++) {
            if (all->list[i].session == tree->leader.pid && all->owners[i] == PROCESS_TREE_NONE)
                all->owners[i] = (int)t;
        }
    }
}

// From a process up to the first that is assigned, all get what that one has.
static void inherit(struct assignment *all, size_t from)
{
    size_t steps = 0, at = from;
    while (at < all->count && all->owners[at] == PROCESS_TREE_NONE && steps++ < all->count)
        at = find(all, all->list[at].parent);
    if (at == all->count || all->owners[at] < 0)
        return;
    int owner = all->owners[at];
    for (at = from; all->owners[at] == PROCESS_TREE_NONE; at = find(all, all->list[at].parent))
        all->owners[at] = owner;
}

static void mark_descendants(struct assignment *all)
{
    for (size_t i = 0; i < all->count; i++)
        inherit(all, i);
}

static int tree_of_spawn(const struct assignment *all, uint64_t spawn_id)
{
    for (size_t t = 0; spawn_id != 0 && t < all->tree_count; t++) {
        if (all->trees[t].spawn_id == spawn_id)
            return (int)t;
    }
    return PROCESS_TREE_NONE;
}

// An orphan is a child of the keeper, or, when a keeper died, of whoever is above it.
static bool is_orphan(const struct assignment *all, size_t i, pid_t self)
{
    size_t parent = find(all, all->list[i].parent);
    if (all->owners[i] != PROCESS_TREE_NONE || all->list[i].parent == self)
        return false;
    return parent == all->count || all->owners[parent] == NOT_OURS;
}

static uint64_t oldest_start(const struct assignment *all)
{
    uint64_t oldest = UINT64_MAX;
    for (size_t t = 0; t < all->tree_count; t++) {
        if (all->trees[t].leader.pid > 0 && all->trees[t].leader.start_ticks < oldest)
            oldest = all->trees[t].leader.start_ticks;
    }
    return oldest;
}

static void mark_orphans(struct assignment *all, pid_t self, process_tree_spawn_of *spawn_of)
{
    uint64_t oldest = oldest_start(all);
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].start_ticks >= oldest && is_orphan(all, i, self))
            all->owners[i] = tree_of_spawn(all, spawn_of(all->list[i].pid));
    }
}

void process_tree_assign(struct procinfo *list, size_t count, const struct process_tree *trees,
                         size_t tree_count, pid_t self, process_tree_spawn_of *spawn_of,
                         int *owners)
{
    struct assignment all = {list, count, trees, tree_count, owners};

    if (count > 0)
        qsort(list, count, sizeof *list, by_pid);
    for (size_t i = 0; i < count; i++)
        owners[i] = PROCESS_TREE_NONE;
    mark_ancestors(&all, self);
    mark_sessions(&all);
    mark_descendants(&all);
    mark_orphans(&all, self, spawn_of);
    mark_descendants(&all);
    for (size_t i = 0; i < count; i++) {
        if (owners[i] == NOT_OURS)
            owners[i] = PROCESS_TREE_NONE;
    }
}

// --- /proc --------------------------------------------------------------------------------------

static uint64_t spawn_of(pid_t pid)
{
    char text[32];
    uint64_t id;
    if (!procinfo_variable(pid, ENV_SPAWN, text, sizeof text) ||
        sscanf(text, "%16" SCNx64, &id) != 1)
        return 0;
    return id;
}

static bool all_are_empty(const struct process_tree *trees, size_t count)
{
    for (size_t t = 0; t < count; t++) {
        if (trees[t].leader.pid > 0)
            return false;
    }
    return true;
}

// All living processes (none, when nobody asks for one) and which tree they belong to; the caller
// frees both.
static size_t walk(const struct process_tree *trees, size_t tree_count, struct procinfo **list,
                   int **owners)
{
    size_t count = 0;

    *list = NULL;
    if (!all_are_empty(trees, tree_count))
        count = procinfo_list(list);
    *owners = mem_zalloc(count + 1, sizeof **owners);
    process_tree_assign(*list, count, trees, tree_count, getpid(), spawn_of, *owners);
    return count;
}

void process_tree_measure(struct process_tree *trees, size_t count)
{
    struct procinfo *list;
    int *owners;
    size_t processes = walk(trees, count, &list, &owners);

    for (size_t t = 0; t < count; t++)
        trees[t].processes = 0, trees[t].cpu_ms = trees[t].rss_bytes = 0;
    for (size_t i = 0; i < processes; i++) {
        if (owners[i] == PROCESS_TREE_NONE)
            continue;
        struct process_tree *tree = &trees[owners[i]];
        tree->processes++;
        tree->cpu_ms += list[i].cpu_ms;
        tree->rss_bytes += list[i].rss_bytes;
    }
    free(list);
    free(owners);
}

size_t process_tree_find(const struct process_tree *tree, struct process_identity **members)
{
    struct procinfo *list;
    int *owners;
    size_t found = 0, processes = walk(tree, 1, &list, &owners);

    *members = mem_zalloc(processes + 1, sizeof **members);
    for (size_t i = 0; i < processes; i++) {
        if (owners[i] == 0)
            (*members)[found++] = (struct process_identity){list[i].pid, list[i].start_ticks};
    }
    free(list);
    free(owners);
    return found;
}

uint64_t process_tree_private(const struct process_tree *tree)
{
    struct process_identity *members;
    size_t count = process_tree_find(tree, &members);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += procinfo_private_bytes(members[i].pid);
    free(members);
    return bytes;
}

bool process_tree_kill_member(const struct process_identity *member)
{
    int pidfd = pidfd_open(member->pid, 0);
    bool sent = pidfd >= 0 && procinfo_lives(member->pid, member->start_ticks) &&
                pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0;
    if (pidfd >= 0)
        close(pidfd);
    return sent;
}

void process_tree_kill(const struct process_tree *tree)
{
    struct process_identity *members;
    size_t count = process_tree_find(tree, &members);
    for (size_t i = 0; i < count; i++)
        process_tree_kill_member(&members[i]);
    free(members);
}
