// What other machines say, and whether something that they said was missed.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "mirror_state.h"

enum {
    WORK_MS = 2, // of a turn of the loop, for their patterns
    JOBS_MAX = 64,
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

// What we have not sent yet comes after what they did.
static void take_key(struct mirror *mirror, const char *key, size_t length)
{
    if (mirror_queue_has(mirror->queue, key, length))
        mirror_key_changed(mirror, key, length);
    else
        mirror_key_dropped(mirror, key, length);
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

// The last epoch of a machine that was heard of; a new one has 0.
static uint64_t *epoch_of(struct mirror *mirror, uint64_t id)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, id);
    uint64_t *epoch = map_get(mirror->machines, text);
    if (!epoch) {
        epoch = mem_zalloc(1, sizeof *epoch);
        (void)map_put(mirror->machines, text, epoch);
    }
    return epoch;
}

static void heard_of(struct mirror *mirror, uint64_t *known, uint64_t epoch)
{
    if (epoch <= *known)
        return;
    mirror->page->mirror.others += epoch - *known;
    *known = epoch;
}

static void begin_message(struct mirror *mirror, const struct mirror_head *head)
{
    uint64_t *known = epoch_of(mirror, head->id);
    if (mirror->knows_machines && head->previous > *known)
        drop_everything(mirror, "a message of another machine is missing");
    heard_of(mirror, known, head->epoch);
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
        uint64_t *known = epoch_of(mirror, greeted->id);
        missed = missed || greeted->epoch > *known;
        sum += greeted->epoch;
        if (greeted->epoch > *known)
            *known = greeted->epoch;
    }
    // A process that has just begun knows of the others no more than what the page says.
    return mirror->knows_machines ? missed : sum != mirror->page->mirror.others;
}

static void add_up_epochs(struct mirror *mirror)
{
    size_t cursor = 0;
    void *epoch;
    mirror->page->mirror.others = 0;
    while (map_next(mirror->machines, &cursor, &epoch))
        mirror->page->mirror.others += *(uint64_t *)epoch;
}

void mirror_compare(struct mirror *mirror)
{
    bool missed = compare_epochs(mirror);
    mirror->knows_machines = true;
    add_up_epochs(mirror);
    if (missed)
        drop_everything(mirror, "others changed keys while Redis was away");
}
