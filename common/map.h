// A hash map from strings to pointers; order of insertion is kept for iteration.
#ifndef GW_COMMON_MAP_H
#define GW_COMMON_MAP_H

#include <stddef.h>

struct map;

struct map *map_new(void);
// free_value may be NULL; called for each value left.
void map_free(struct map *map, void (*free_value)(void *));

// Copies the key, keeps the pointer. Returns the value that was there before, or NULL.
void *map_put(struct map *map, const char *key, void *value);
void *map_get(const struct map *map, const char *key); // NULL when absent
void *map_remove(struct map *map, const char *key);    // returns the value removed, or NULL
// The same with keys of any bytes, of which `length` are given.
void *map_put_n(struct map *map, const char *key, size_t length, void *value);
void *map_get_n(const struct map *map, const char *key, size_t length);
void *map_remove_n(struct map *map, const char *key, size_t length);
size_t map_count(const struct map *map);

// Iteration in the order of insertion: start with *cursor = 0; NULL at the end. Values may be
// replaced while iterating; adding or removing keys needs a new iteration.
const char *map_next(const struct map *map, size_t *cursor, void **value);

#endif
