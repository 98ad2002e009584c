// Open addressing over an array of entries in order of insertion: the table holds entry numbers, so
// iteration is a walk over the array. A removed entry stays as a hole until the next rebuild.

#include "common/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/mem.h"

enum { FIRST_TABLE = 16 };

struct entry {
    char *key; // NULL: a hole
    size_t length;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries;
    size_t used;  // entries, holes included
    size_t count; // entries without holes
    size_t entries_size;
    uint32_t *table;   // entry number + 1; 0: free
    size_t table_size; // a power of two
};

struct map *map_new(void)
{
    struct map *map = mem_zalloc(1, sizeof *map);
    map->table_size = FIRST_TABLE;
    map->table = mem_zalloc(map->table_size, sizeof *map->table);
    return map;
}

void map_free(struct map *map, void (*free_value)(void *))
{
    if (!map)
        return;
    for (size_t i = 0; i < map->used; i++) {
        if (map->entries[i].key && free_value)
            free_value(map->entries[i].value);
        free(map->entries[i].key);
    }
    free(map->entries);
    free(map->table);
    free(map);
}

static void link_entry(struct map *map, size_t number)
{
    size_t at = map->entries[number].hash & (map->table_size - 1);
    while (map->table[at] != 0)
        at = (at + 1) & (map->table_size - 1);
    map->table[at] = (uint32_t)number + 1;
}

static struct entry *find(const struct map *map, const char *key, size_t length)
{
    uint64_t hash = XXH3_64bits(key, length);
    size_t at = hash & (map->table_size - 1);
    for (; map->table[at] != 0; at = (at + 1) & (map->table_size - 1)) {
        struct entry *entry = &map->entries[map->table[at] - 1];
        if (entry->key && entry->hash == hash && entry->length == length &&
            memcmp(entry->key, key, length) == 0)
            return entry;
    }
    return NULL;
}

// Drops the holes and makes room for one more entry. A third of the table at most is used then, so
// the next rebuild is as many puts away as the map is large (holes count too): puts stay O(1) also
// when as many keys go as come.
static void rebuild(struct map *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->used; i++) {
        if (map->entries[i].key)
            map->entries[kept++] = map->entries[i];
    }
    map->used = kept;
    while ((map->count + 1) * 3 > map->table_size)
        map->table_size *= 2;
    free(map->table);
    map->table = mem_zalloc(map->table_size, sizeof *map->table);
    for (size_t i = 0; i < map->used; i++)
        link_entry(map, i);
}

static char *copy_key(const char *key, size_t length)
{
    char *copy = mem_alloc(length + 1);
    memcpy(copy, key, length);
    copy[length] = '\0';
    return copy;
}

void *map_put_n(struct map *map, const char *key, size_t length, void *value)
{
    struct entry *old = find(map, key, length);
    if (old) {
        void *before = old->value;
        old->value = value;
        return before;
    }
    if ((map->used + 1) * 2 > map->table_size)
        rebuild(map);
    if (map->used == map->entries_size) {
        map->entries_size = map->entries_size > 0 ? map->entries_size * 2 : FIRST_TABLE;
        map->entries = mem_realloc(map->entries, map->entries_size * sizeof *map->entries);
    }
    map->entries[map->used] =
        (struct entry){copy_key(key, length), length, XXH3_64bits(key, length), value};
    link_entry(map, map->used++);
    map->count++;
    return NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
    return map_put_n(map, key, strlen(key), value);
}

void *map_get_n(const struct map *map, const char *key, size_t length)
{
    struct entry *entry = find(map, key, length);
    return entry ? entry->value : NULL;
}

void *map_get(const struct map *map, const char *key)
{
    return map_get_n(map, key, strlen(key));
}

void *map_remove_n(struct map *map, const char *key, size_t length)
{
    struct entry *entry = find(map, key, length);
    if (!entry)
        return NULL;
    free(entry->key);
    entry->key = NULL;
    map->count--;
    return entry->value;
}

void *map_remove(struct map *map, const char *key)
{
    return map_remove_n(map, key, strlen(key));
}

size_t map_count(const struct map *map)
{
    return map->count;
}

const char *map_next(const struct map *map, size_t *cursor, void **value)
{
    while (*cursor < map->used) {
        const struct entry *entry = &map->entries[(*cursor)++];
        if (entry->key) {
            if (value)
                *value = entry->value;
            return entry->key;
        }
    }
    return NULL;
}
