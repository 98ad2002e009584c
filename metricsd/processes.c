// The list is the supervisor's; pids in it may be gone already when they are looked at.
#include "processes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/foreign_text.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/state_page.h"

enum { TEXT_SIZE = 256 };

// --- reading the list ---------------------------------------------------------------------------

static char *copy_text(const char *text)
{
    char safe[TEXT_SIZE];
    foreign_text_copy(safe, sizeof safe, text, strlen(text));
    return mem_strdup(safe);
}

static void read_restarts(struct process *process, struct json_object *restarts)
{
    if (!restarts || json_object_object_length(restarts) == 0)
        return;
    size_t count = (size_t)json_object_object_length(restarts);
    process->restarts = mem_zalloc(count, sizeof *process->restarts);
    json_object_object_foreach(restarts, reason, value)
    {
        struct restart_count *restart = &process->restarts[process->restart_count++];
        int64_t number = json_object_get_int64(value);
        restart->reason = copy_text(reason);
        restart->count = number > 0 ? (uint64_t)number : 0;
    }
}

static int read_process(struct process *process, struct json_object *item, struct err *err)
{
    const char *app = json_get_string(item, "app", NULL);
    int64_t pid = json_get_int(item, "pid", 0), column = json_get_int(item, "column", -1);
    int64_t started_ms = json_get_int(item, "started_ms", 0);
    int64_t lost = json_get_int(item, "log_lines_lost", 0);
    int64_t limit = json_get_int(item, "memory_limit", 0);
    *process = (struct process){.id = json_get_int(item, "id", -1), .cpu_share = NAN};
    if (!app || process->id < 0)
        return err_set(err, "a process needs an app and an id");
    process->app = copy_text(app);
    process->role = copy_text(json_get_string(item, "role", "app"));
    process->state = copy_text(json_get_string(item, "state", "unknown"));
    process->pid = pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
    process->column = column >= 0 && column < STATE_COLUMNS ? (int)column : -1;
    process->started_ms = started_ms > 0 ? (uint64_t)started_ms : 0;
    process->log_lines_lost = lost > 0 ? (uint64_t)lost : 0;
    process->memory_limit_bytes = limit > 0 ? (uint64_t)limit : 0;
    read_restarts(process, json_get_object(item, "restarts"));
    return 0;
}

static void free_process(struct process *process)
{
    for (size_t i = 0; i < process->restart_count; i++)
        free(process->restarts[i].reason);
    free(process->restarts);
    free(process->app);
    free(process->role);
    free(process->state);
}

void processes_clear(struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++)
        free_process(&processes->items[i]);
    free(processes->items);
    *processes = (struct processes){0};
}

static int compare(const void *a, const void *b)
{
    const struct process *one = a, *other = b;
    return one->id < other->id ? -1 : one->id > other->id;
}

// An id is a label: twice the same would be twice the same series.
static void drop_doubles(struct processes *processes)
{
    size_t kept = 0;
    for (size_t i = 0; i < processes->count; i++) {
        if (kept > 0 && processes->items[kept - 1].id == processes->items[i].id)
            free_process(&processes->items[i]);
        else
            processes->items[kept++] = processes->items[i];
    }
    processes->count = kept;
}

static void keep_sample(const struct processes *old, struct process *process)
{
    const struct process *before =
        old->count == 0 ? NULL
                        : bsearch(process, old->items, old->count, sizeof *old->items, compare);
    if (!before || before->pid != process->pid || before->started_ms != process->started_ms)
        return;
    process->was_tried = before->was_tried;
    process->is_sampled = before->is_sampled;
    process->sample = before->sample;
    process->sampled_ms = before->sampled_ms;
    process->cpu_share = before->cpu_share;
}

int processes_set(struct processes *processes, struct json_object *list, struct err *err)
{
    struct processes fresh = {.next = processes->next};
    size_t length = list ? json_object_array_length(list) : 0;
    fresh.items = mem_zalloc(length + 1, sizeof *fresh.items);
    for (size_t i = 0; i < length; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (read_process(&fresh.items[fresh.count], item, err) == -1) {
            processes_clear(&fresh);
            return -1;
        }
        fresh.count++;
    }
    qsort(fresh.items, fresh.count, sizeof *fresh.items, compare);
    drop_doubles(&fresh);
    for (size_t i = 0; i < fresh.count; i++)
        keep_sample(processes, &fresh.items[i]);
    processes_clear(processes);
    *processes = fresh;
    return 0;
}

// --- samples ------------------------------------------------------------------------------------

static bool is_new(const struct process *process)
{
    return process->pid != 0 && !process->was_tried;
}

static struct process *find_new(const struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++)
        if (is_new(&processes->items[i]))
            return &processes->items[i];
    return NULL;
}

bool processes_has_new(const struct processes *processes)
{
    return find_new(processes) != NULL;
}

static struct process *find_next(struct processes *processes)
{
    for (size_t tried = 0; tried < processes->count; tried++) {
        processes->next = processes->next + 1 < processes->count ? processes->next + 1 : 0;
        if (processes->items[processes->next].pid != 0)
            return &processes->items[processes->next];
    }
    return NULL;
}

struct process *processes_next(struct processes *processes)
{
    struct process *process = find_new(processes);
    if (!process)
        process = find_next(processes);
    if (process)
        process->was_tried = true;
    return process;
}

void process_enter(struct process *process, const struct procfs_sample *sample, uint64_t now_ms)
{
    const struct procfs_sample before = process->sample;
    bool is_second = process->is_sampled;
    if (is_second && before.start_ticks != sample->start_ticks)
        return;
    process->sample = *sample;
    process->is_sampled = true;
    if (is_second && sample->cpu_us < before.cpu_us)
        process->sample.cpu_us = before.cpu_us;
    if (is_second && now_ms > process->sampled_ms)
        process->cpu_share = (double)(process->sample.cpu_us - before.cpu_us) /
                             ((double)(now_ms - process->sampled_ms) * 1000);
    process->sampled_ms = now_ms;
}

uint64_t process_memory(const struct process *process)
{
    if (!process->is_sampled)
        return 0;
    return process->sample.has_pss ? process->sample.pss_bytes : process->sample.rss_bytes;
}

bool process_has_role(const struct process *process, const char *role)
{
    return strcmp(process->role, role) == 0;
}

bool process_is_online(const struct process *process)
{
    return strcmp(process->state, "online") == 0;
}
