// What other machines say, and whether something that they said was missed.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/stored_form.h"
#include "mirror_state.h"

enum {
    WORK_MS = 2, // of a turn of the loop, for their patterns
    JOBS_MAX = 64,
    FORGET_MS = 30 * 24 * 3600 * 1000ll,
};

struct remote_job {
    struct remote_job *next;
    struct job *job;
};

// --- what others changed ------------------------------------------------------------------------

static void drop_everything(struct mirror *mirror, const char *why)
{
    struct store_stats stats;
    store_stats(mirror->store, &stats);
    if (stats.keys > 0)
        log_info("redis: all keys here are dropped: %s", why);
    store_flush(mirror->store);
    mirror_all_changed(mirror);
}

static void on_working(uv_idle_t *idle)
{
    struct mirror *mirror = idle->data;
    uint64_t end_ns = uv_hrtime() + WORK_MS * UINT64_C(1000000);
    while (mirror->jobs && uv_hrtime() < end_ns) {
        struct remote_job *first = mirror->jobs;
        if (job_step(first->job, mirror->store, clock_wall_ms()))
            continue;
        mirror->jobs = first->next;
        mirror->job_count--;
        mirror_all_changed(mirror);
        job_free(first->job);
        free(first);
    }
    if (!mirror->jobs)
        uv_idle_stop(idle);
}

void mirror_forget_others(struct mirror *mirror)
{
    struct remote_job *first;
    while ((first = mirror->jobs) != NULL) {
        mirror->jobs = first->next;
        job_free(first->job);
        free(first);
    }
    mirror->job_count = 0;
}

static void take_pattern(struct mirror *mirror, const char *pattern, size_t length)
{
    struct remote_job **end = &mirror->jobs;
    if (mirror->job_count == JOBS_MAX) {
        mirror_forget_others(mirror);
        drop_everything(mirror, "others delete too many patterns");
        return;
    }
    while (*end)
        end = &(*end)->next;
    *end = mem_zalloc(1, sizeof **end);
    (*end)->job = job_new(JOB_DELETE, 0);
    job_add_pattern((*end)->job, pattern, length);
    mirror->job_count++;
    mirror_all_changed(mirror);
    uv_idle_start(&mirror->working, on_working);
}

// A mark that an answer was purged (common/stored_form.h): workers look for it here, and whoever is
// just fetching that answer must find it.
static void fetch_mark(struct mirror *mirror, const char *key, size_t length)
{
    enum { PREFIX = sizeof STORED_PURGED_PREFIX - 1 };
    if (length < PREFIX || memcmp(key, STORED_PURGED_PREFIX, PREFIX) != 0)
        return;
    struct mirror_wait *wait = mirror_wait_new();
    mirror_fetch(mirror, key, length, wait);
    (void)mirror_wait_begin(wait); // nobody waits for it
}

// What we have not sent yet comes after what they did.
static void take_key(struct mirror *mirror, const char *key, size_t length)
{
    if (mirror_queue_has(mirror->queue, key, length))
        mirror_key_changed(mirror, key, length);
    else
        mirror_key_dropped(mirror, key, length);
    fetch_mark(mirror, key, length);
}

static void take_tag(struct mirror *mirror, const struct mirror_tag *tag)
{
    uint64_t *version = &mirror->tag_versions[tag->slot];
    if (tag->version > *version)
        *version = tag->version;
    store_purge_slot(mirror->store, tag->slot);
    mirror_all_changed(mirror);
}

static void take_item(struct mirror *mirror, const struct mirror_item *item)
{
    switch (item->kind) {
    case ITEM_KEY:
        take_key(mirror, item->bytes, item->length);
        break;
    case ITEM_PATTERN:
        take_pattern(mirror, item->bytes, item->length);
        break;
    case ITEM_TAG:
        take_tag(mirror, &item->tag);
        break;
    case ITEM_EVERYTHING:
        drop_everything(mirror, "another machine has deleted everything");
        break;
    }
}

// --- epochs -------------------------------------------------------------------------------------

struct machine {
    uint64_t epoch;       // the last one that was heard of; 0: none yet
    uint64_t at_greeting; // what it was before Redis was asked
    bool is_there;        // in the hash, as far as is known
    bool was_there;       // before Redis was asked
};

static struct machine *machine_of(struct mirror *mirror, uint64_t id)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, id);
    struct machine *machine = map_get(mirror->machines, text);
    if (!machine) {
        machine = mem_zalloc(1, sizeof *machine);
        (void)map_put(mirror->machines, text, machine);
    }
    return machine;
}

bool mirror_is_forgotten(uint64_t epoch, uint64_t now_ms)
{
    return epoch / 1000 + FORGET_MS < now_ms;
}

void mirror_before_asking(struct mirror *mirror)
{
    size_t cursor = 0;
    void *value;
    while (map_next(mirror->machines, &cursor, &value)) {
        struct machine *machine = value;
        machine->at_greeting = machine->epoch;
        machine->was_there = machine->was_there || machine->is_there; // it may be asked in vain
        machine->is_there = false;
    }
}

static void heard_of(struct mirror *mirror, struct machine *machine, uint64_t epoch)
{
    if (epoch <= machine->epoch)
        return;
    mirror->page->mirror.others += epoch - machine->epoch;
    machine->epoch = epoch;
}

static void begin_message(struct mirror *mirror, const struct mirror_head *head)
{
    struct machine *machine = machine_of(mirror, head->id);
    if (mirror->knows_machines && head->previous > machine->epoch)
        drop_everything(mirror, "a message of another machine is missing");
    machine->is_there = true;
    heard_of(mirror, machine, head->epoch);
    mirror->stats.heard++;
}

void mirror_hear(struct mirror *mirror, const char *text, size_t length)
{
    struct mirror_head head;
    struct mirror_reader reader;
    struct mirror_item item;
    int result = mirror_message_read(text, length, &head, &reader);
    bool is_own = result == 0 && head.id == mirror->page->mirror.id;
    if (is_own && head.epoch > mirror->greeting_epoch)
        return;
    if (result == 0) {
        if (!is_own)
            begin_message(mirror, &head);
        void (*take)(struct mirror *, const struct mirror_item *) =
            is_own ? mirror_send_again : take_item;
        while ((result = mirror_message_next(&reader, &item)) == 1)
            take(mirror, &item);
    }
    if (result == -1)
        drop_everything(mirror, "a message was not understood");
}

// The machines in the hash against those in the map; whether something was missed.
static bool compare_epochs(struct mirror *mirror)
{
    uint64_t sum = 0;
    bool missed = false;
    for (size_t i = 0; i < mirror->greeted_count; ++i) {
        const struct greeted *greeted = &mirror->greeted[i];
        if (greeted->id == mirror->page->mirror.id)
            continue;
        struct machine *machine = machine_of(mirror, greeted->id);
        machine->is_there = true;
        missed = missed || greeted->epoch > machine->epoch;
        mirror->went_back =
            mirror->went_back || (mirror->is_known && greeted->epoch < machine->at_greeting);
        sum += greeted->epoch;
        if (greeted->epoch > machine->epoch)
            machine->epoch = greeted->epoch;
    }
    if (mirror->knows_machines)
        return missed;
    // A process that has just begun knows of the others no more than what the page says.
    mirror->went_back =
        mirror->went_back || (mirror->is_known && sum < mirror->page->mirror.others);
    return sum != mirror->page->mirror.others;
}

// Whether a machine is missing that the hash had before: it joined after the snapshot.
static bool look_for_absent(struct mirror *mirror)
{
    uint64_t now_ms = clock_wall_ms();
    bool is_one_absent = false;
    size_t cursor = 0;
    void *value;
    while (map_next(mirror->machines, &cursor, &value)) {
        struct machine *machine = value;
        if (machine->was_there && !machine->is_there &&
            !mirror_is_forgotten(machine->epoch, now_ms))
            is_one_absent = true;
        machine->was_there = false;
    }
    return is_one_absent;
}

static void add_up_epochs(struct mirror *mirror)
{
    size_t cursor = 0;
    void *machine;
    mirror->page->mirror.others = 0;
    while (map_next(mirror->machines, &cursor, &machine))
        mirror->page->mirror.others += ((const struct machine *)machine)->epoch;
}

void mirror_compare(struct mirror *mirror)
{
    bool missed = compare_epochs(mirror);
    bool is_one_absent = look_for_absent(mirror);
    mirror->went_back = mirror->went_back || (mirror->is_known && is_one_absent);
    mirror->knows_machines = true;
    if (mirror->birth != 0)
        mirror->page->mirror.birth = mirror->birth;
    add_up_epochs(mirror);
    if (missed)
        drop_everything(mirror, "others changed keys while Redis was away");
    if (!mirror->went_back)
        return;
    // From a snapshot, or a replica that lagged: what was deleted since is there again.
    log_info("redis: it was set back; everything with our prefix is deleted there");
    mirror_owe_everything(mirror);
}
