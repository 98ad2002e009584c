// What the files of the mirror share: mirror.c (life), mirror_others.c, mirror_send.c (changes to
// Redis), mirror_fetch.c (values from Redis), mirror_purge.c (patterns).
#ifndef GW_CACHESVC_MIRROR_STATE_H
#define GW_CACHESVC_MIRROR_STATE_H

#include "common/map.h"
#include "common/redis_config.h"
#include "mirror.h"
#include "mirror_message.h"
#include "mirror_queue.h"
#include "redis_link.h"

enum {
    CHANGE_SLOTS = 1024,
    TAG_WORDS = SEGMENT_TAG_SLOTS_MIN / 64,
};

struct batch;

struct greeted {
    uint64_t id, epoch;
};

struct mirror {
    uv_loop_t *loop;
    const struct redis_config *config;
    struct store *store;
    struct segment_header *page; // the store's
    void (*on_event)(void *context, const char *source, const char *name, const char *text);
    void *context;

    struct redis_link *link;
    char *epochs_key;
    char id[17]; // page->mirror.id as text
    unsigned open_handles;

    // To Redis.
    struct mirror_queue *queue;
    uint64_t tag_versions[SEGMENT_TAG_SLOTS_MIN];
    uint64_t changed_tags[TAG_WORDS]; // a bit each
    struct buf announced;             // items of a message: what Redis has, others do not know
    struct mirror_purge *owed;        // patterns of keys to delete there
    unsigned owed_count;
    bool owes_everything;
    struct mirror_purge *purging; // the one of these that is under way
    unsigned purges;              // under way, these and those that commands wait for
    unsigned batches;             // on their way
    uint64_t epoch;               // the last one that was tried; page->mirror.epoch arrived
    bool is_epoch_refused;        // Redis is full: what others read there is an older one
    uint64_t greeting_epoch;      // what was sent on earlier connections has no greater one
    uv_prepare_t sending;         // while there is something to send
    struct mirror_wait **crowd;   // they wait until Redis has taken more
    size_t crowd_count, crowd_size;
    uint64_t sent_at_beat; // stats.sent

    // From Redis. A value that was changed while it was fetched is fetched again.
    uint32_t changes[CHANGE_SLOTS]; // of keys, by hash
    uint32_t all_changes;
    uint64_t drops;

    // Others.
    struct map *machines; // by id: what was heard of it
    bool knows_machines;
    struct greeted *greeted; // what the hash said in the greeting
    size_t greeted_count;
    uint64_t birth;          // of the hash; 0: not known
    bool is_known;           // ... and what was known of it before
    bool went_back;          // it was restored from a state that we know more than
    struct remote_job *jobs; // their patterns, applied here
    unsigned job_count;
    uv_idle_t working;

    struct {
        uint64_t fetched, found, sent, lost, asked, heard;
    } stats;
};

// --- mirror.c ---

// The key with our prefix, in memory of the caller's.
char *mirror_full_key(const struct mirror *mirror, const char *key, size_t length, size_t *full);

// A key, or any, is another one now; or has to be fetched.
void mirror_key_changed(struct mirror *mirror, const char *key, size_t length);
void mirror_key_dropped(struct mirror *mirror, const char *key, size_t length);
void mirror_all_changed(struct mirror *mirror);

// Whether Redis has been told everything.
bool mirror_is_idle(const struct mirror *mirror);

// To be called when that may have changed.
void mirror_note_unsent(struct mirror *mirror);

// --- mirror_others.c ---

// A message, of another machine or of our own.
void mirror_hear(struct mirror *mirror, const char *text, size_t length);

// Whether a machine with this as its last epoch has been away for so long that nobody keeps it.
bool mirror_is_forgotten(uint64_t epoch, uint64_t now_ms);

// What is known now is compared with what Redis is asked for from here on.
void mirror_before_asking(struct mirror *mirror);

// The link is open: drops all keys here when more was changed than has been heard of.
void mirror_compare(struct mirror *mirror);

void mirror_forget_others(struct mirror *mirror); // their patterns that are still to be applied

// --- mirror_send.c ---

// A key was changed here.
void mirror_send_key(struct mirror *mirror, const char *key, size_t length,
                     enum mirror_change_kind kind);
void mirror_purge_tag(struct mirror *mirror, uint32_t slot);

// Tells Redis a version that it has lost; others know it, or are told by Redis.
void mirror_store_tag(struct mirror *mirror, unsigned slot);

// A connection begins.
void mirror_begin_epochs(struct mirror *mirror);

// Which of our messages was the last one, for those who have missed it.
void mirror_say_epoch(struct mirror *mirror);

// Of a batch of ours that was given up, with its connection, and has reached Redis nevertheless:
// what it says there may be older than what came since.
void mirror_send_again(struct mirror *mirror, const struct mirror_item *item);

// A command that writes waits while Redis takes less than is written.
void mirror_join_crowd(struct mirror *mirror, struct mirror_wait *wait);

// They go on when there is room again; or anyway, since Redis takes nothing.
void mirror_let_crowd_go(struct mirror *mirror, bool is_stuck);

// Sends what there is at the end of this turn of the loop; or now.
void mirror_send_soon(struct mirror *mirror);
void mirror_send_now(struct mirror *mirror);
void mirror_on_sending(uv_prepare_t *prepare);

// A batch around a command: its keys are changed by that.
struct batch *mirror_batch_begin(struct mirror *mirror);
void mirror_batch_announce(struct batch *batch, const char *key, size_t length);
void mirror_batch_end(struct batch *batch);

// --- mirror_ask.c ---

// Does a command there (PLAN_ASK), for a wait.
void mirror_ask(struct mirror *mirror, const struct command *command, const struct resp_arg *args,
                size_t count, struct mirror_wait *wait);

// --- mirror_fetch.c ---

// A command that waits for several things: for each, mirror_wait_add before and mirror_wait_done
// after, which may end the wait.
struct mirror_wait *mirror_wait_new(void);
// NULL: nothing is left to wait for.
struct mirror_wait *mirror_wait_begin(struct mirror_wait *wait);
void mirror_wait_add(struct mirror_wait *wait);
void mirror_wait_done(struct mirror_wait *wait);
void mirror_wait_add_purged(struct mirror_wait *wait, uint64_t count);
struct buf *mirror_wait_reply(struct mirror_wait *wait); // from now on there is a reply

// The key's value, into the store.
void mirror_fetch(struct mirror *mirror, const char *key, size_t length, struct mirror_wait *wait);

// Whether a tag has that version.
bool mirror_knows_tag(const struct mirror *mirror, const struct mirror_tag *tag);

// --- mirror_purge.c ---

// Deletes what matches there and tells others, for a wait; later, when Redis is away.
void mirror_purge(struct mirror *mirror, const char *pattern, size_t length,
                  struct mirror_wait *wait);

// Deletes one key there, tells others, and counts it.
void mirror_purge_key(struct mirror *mirror, const char *key, size_t length,
                      struct mirror_wait *wait);

// Patterns, some time.
void mirror_owe(struct mirror *mirror, const char *pattern, size_t length);
void mirror_owe_everything(struct mirror *mirror);

// Whether something is still owed.
bool mirror_owes(const struct mirror *mirror);

// Whether what Redis has of a key is still to be deleted: nobody may read it meanwhile.
bool mirror_is_doomed(const struct mirror *mirror, const char *key, size_t length);

// Goes on with what is owed, if Redis is there.
void mirror_pay(struct mirror *mirror);

// Forgets what is owed.
void mirror_purge_fini(struct mirror *mirror);

#endif
