// SIEVE (Zhang et al., NSDI 2024), W-TinyLFU (Einziger et al., ACM TOS 2017) and LRU, as plain as
// they can be written: lists of keys, linked through an array by key.
//
// W-TinyLFU has a window of 1 % that does not adapt, a main part of which 80 % is protected, and a
// sketch of four rows of counters up to 15, halved after ten times the capacity.

#include "policies.h"

#include <stdlib.h>

#include "common/mem.h"

enum {
    NOBODY = UINT32_MAX,
    SKETCH_ROWS = 4,
    SKETCH_WIDTH = 4, // counters of a row for each key in the cache
    COUNT_MAX = 15,
    AGING = 10
};

enum list_name { NOWHERE, WINDOW, PROBATION, PROTECTED, LISTS };

struct node {
    uint32_t newer, older;
    uint8_t list; // enum list_name
    bool visited; // SIEVE
};

struct list {
    uint32_t newest, oldest;
    size_t length;
};

// LRU and SIEVE have one list, PROBATION.
struct model {
    size_t capacity;
    struct node *nodes; // by key
    struct list lists[LISTS];
    uint32_t hand; // SIEVE's
    uint8_t *sketch;
    uint32_t sketch_mask;
    size_t counted; // since the sketch was halved
};

// --- lists --------------------------------------------------------------------------------------

static void push(struct model *model, enum list_name name, uint32_t key)
{
    struct list *list = &model->lists[name];
    struct node *node = &model->nodes[key];
    node->list = (uint8_t)name;
    node->newer = NOBODY;
    node->older = list->newest;
    if (list->newest != NOBODY)
        model->nodes[list->newest].newer = key;
    else
        list->oldest = key;
    list->newest = key;
    list->length++;
}

static void drop(struct model *model, uint32_t key)
{
    struct node *node = &model->nodes[key];
    struct list *list = &model->lists[node->list];
    if (node->newer != NOBODY)
        model->nodes[node->newer].older = node->older;
    else
        list->newest = node->older;
    if (node->older != NOBODY)
        model->nodes[node->older].newer = node->newer;
    else
        list->oldest = node->newer;
    list->length--;
    node->list = NOWHERE;
}

static void move(struct model *model, enum list_name to, uint32_t key)
{
    drop(model, key);
    push(model, to, key);
}

struct model *model_new(size_t capacity, uint32_t key_count)
{
    struct model *model = mem_zalloc(1, sizeof *model);
    uint32_t width = 1;
    while (width < capacity * SKETCH_WIDTH)
        width *= 2;
    model->capacity = capacity;
    model->nodes = mem_zalloc(key_count, sizeof *model->nodes);
    model->sketch = mem_zalloc((size_t)width * SKETCH_ROWS, 1);
    model->sketch_mask = width - 1;
    model->hand = NOBODY;
    for (size_t i = 0; i < LISTS; i++)
        model->lists[i] = (struct list){NOBODY, NOBODY, 0};
    return model;
}

void model_free(struct model *model)
{
    free(model->nodes);
    free(model->sketch);
    free(model);
}

// --- LRU and SIEVE ------------------------------------------------------------------------------

static bool lru_access(struct model *model, uint32_t key)
{
    if (model->nodes[key].list != NOWHERE) {
        move(model, PROBATION, key);
        return true;
    }
    if (model->lists[PROBATION].length == model->capacity)
        drop(model, model->lists[PROBATION].oldest);
    push(model, PROBATION, key);
    return false;
}

// The hand goes from the oldest to the newest, and takes the first that was not read since it last
// came by.
static void sieve_evict(struct model *model)
{
    uint32_t at = model->hand != NOBODY ? model->hand : model->lists[PROBATION].oldest;
    while (model->nodes[at].visited) {
        model->nodes[at].visited = false;
        at = model->nodes[at].newer;
        if (at == NOBODY)
            at = model->lists[PROBATION].oldest;
    }
    model->hand = model->nodes[at].newer;
    drop(model, at);
}

static bool sieve_access(struct model *model, uint32_t key)
{
    if (model->nodes[key].list != NOWHERE) {
        model->nodes[key].visited = true;
        return true;
    }
    if (model->lists[PROBATION].length == model->capacity)
        sieve_evict(model);
    push(model, PROBATION, key);
    return false;
}

// --- W-TinyLFU ----------------------------------------------------------------------------------

static uint8_t *counter(const struct model *model, unsigned row, uint32_t key)
{
    static const uint64_t factors[SKETCH_ROWS] = {
        UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0xbf58476d1ce4e5b9),
        UINT64_C(0x94d049bb133111eb)};
    uint32_t column = (uint32_t)(((uint64_t)key + 1) * factors[row] >> 32) & model->sketch_mask;
    return &model->sketch[(size_t)row * (model->sketch_mask + 1) + column];
}

static unsigned frequency(const struct model *model, uint32_t key)
{
    unsigned least = COUNT_MAX;
    for (unsigned row = 0; row < SKETCH_ROWS; row++) {
        unsigned count = *counter(model, row, key);
        least = count < least ? count : least;
    }
    return least;
}

static void count_access(struct model *model, uint32_t key)
{
    for (unsigned row = 0; row < SKETCH_ROWS; row++) {
        uint8_t *count = counter(model, row, key);
        *count = *count < COUNT_MAX ? (uint8_t)(*count + 1) : COUNT_MAX;
    }
    if (++model->counted < model->capacity * AGING)
        return;
    model->counted = 0;
    for (size_t i = 0; i < (size_t)(model->sketch_mask + 1) * SKETCH_ROWS; i++)
        model->sketch[i] /= 2;
}

static size_t window_max(const struct model *model)
{
    return model->capacity < 100 ? 1 : model->capacity / 100;
}

// Who leaves the window takes the place of the main part's next victim if it is asked for more.
static void leave_window(struct model *model)
{
    const struct list *lists = model->lists;
    uint32_t candidate = lists[WINDOW].oldest;
    size_t main_length = lists[PROBATION].length + lists[PROTECTED].length;
    if (main_length < model->capacity - window_max(model)) {
        move(model, PROBATION, candidate);
        return;
    }
    uint32_t victim = lists[lists[PROBATION].length > 0 ? PROBATION : PROTECTED].oldest;
    if (frequency(model, candidate) > frequency(model, victim)) {
        drop(model, victim);
        move(model, PROBATION, candidate);
    } else {
        drop(model, candidate);
    }
}

static void protect(struct model *model, uint32_t key)
{
    size_t most = (model->capacity - window_max(model)) * 8 / 10;
    move(model, PROTECTED, key);
    if (model->lists[PROTECTED].length > most)
        move(model, PROBATION, model->lists[PROTECTED].oldest);
}

static bool tinylfu_access(struct model *model, uint32_t key)
{
    count_access(model, key);
    switch ((enum list_name)model->nodes[key].list) {
    case WINDOW:
        move(model, WINDOW, key);
        return true;
    case PROBATION:
    case PROTECTED:
        protect(model, key);
        return true;
    case NOWHERE:
    case LISTS:
        break;
    }
    push(model, WINDOW, key);
    if (model->lists[WINDOW].length > window_max(model))
        leave_window(model);
    return false;
}

const struct policy policies[] = {
    {"SIEVE", sieve_access},
    {"W-TinyLFU", tinylfu_access},
    {"LRU", lru_access},
    {NULL, NULL},
};
