// Everything that came of one process that we started: its descendants, also those that left its
// session or whose parent has ended.
//
// A process belongs to a tree when it is its leader or in its leader's session, when its parent
// belongs to it, or when it is an orphan (its parent is one of ours or of those above us) that has
// the tree's GWCTL_SPAWN in its environment. What has left the session, lost its parent and cleared
// its environment is not found.
#ifndef GW_SUPERVISOR_PROCESS_TREE_H
#define GW_SUPERVISOR_PROCESS_TREE_H

#include "common/procinfo.h"
#include "process.h"

struct process_tree {
    struct process_identity leader; // it may have ended; pid 0: an empty tree
    uint64_t spawn_id;              // its GWCTL_SPAWN; 0: unknown
    // Filled in; zombies count nowhere.
    unsigned processes;
    uint64_t cpu_ms; // of the living ones
    uint64_t rss_bytes;
};

enum { PROCESS_TREE_NONE = -1 };

// GWCTL_SPAWN of a process; 0: none.
typedef uint64_t process_tree_spawn_of(pid_t pid);

// Which tree each of these processes belongs to: owners[i] is an index in trees, or
// PROCESS_TREE_NONE. `self` and what is above it belong to none. Sorts the list by pid. Pure, but
// for spawn_of, which is asked about orphans only.
void process_tree_assign(struct procinfo *list, size_t count, const struct process_tree *trees,
                         size_t tree_count, pid_t self, process_tree_spawn_of *spawn_of,
                         int *owners);

// Fills in all of them with one walk through /proc.
void process_tree_measure(struct process_tree *trees, size_t count);

// What lives of it; the caller frees the list. Returns how many. A process that is forked meanwhile
// may be missed, and so may an orphan that is already ending, since its environment goes first.
size_t process_tree_find(const struct process_tree *tree, struct process_identity **members);

// The memory that its processes have for themselves, each; what any of them shares is in none. A
// process that is not to be looked into counts with nothing.
uint64_t process_tree_private(const struct process_tree *tree);

// SIGKILL to this process and to none that has its pid by now. False: it has ended.
bool process_tree_kill_member(const struct process_identity *member);

// SIGKILL to all of it.
void process_tree_kill(const struct process_tree *tree);

#endif
