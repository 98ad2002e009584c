// Aligned columns that fit a width: columns of low priority are left out first.
#ifndef GW_CLI_TABLE_H
#define GW_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct table_column {
    const char *title;
    int priority; // 0: never left out; the highest number goes first
    bool right;   // numbers
};

struct table;

// columns is borrowed for the life of the table.
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

// A cell; rows begin with their first column. The text is copied. `colour` is an SGR number or 0.
void table_cell(struct table *table, const char *text, int colour);
// Text below the last row, indented and wrapped; not part of the layout.
void table_note(struct table *table, const char *text);

// Renders to out: at most `width` characters a line, by leaving out columns, then by cutting cells
// (only what has no room for a character a column is wider); with SGR sequences when `colours`.
void table_render(const struct table *table, size_t width, bool colours, struct buf *out);

#endif
