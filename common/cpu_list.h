// Lists of CPUs as text: "0-3,6".
#ifndef GW_COMMON_CPU_LIST_H
#define GW_COMMON_CPU_LIST_H

#include <stdbool.h>

enum { CPU_LIST_MAX = 1023 }; // the highest number

// Calls add for each CPU in the order of the text. False when it is no such list; add may have been
// called for its beginning. NULL for add: only looks.
bool cpu_list_parse(const char *text, void (*add)(int cpu, void *context), void *context);

#endif
