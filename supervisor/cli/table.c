// Layout of a table: widths from the cells, then columns go until the rest fits.

#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { GAP = 2 };

struct cell {
    char *text;
    char *note; // below the row this cell ends; NULL: none
    int colour;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t cell_count;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = mem_zalloc(1, sizeof *table);
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i].text);
        free(table->cells[i].note);
    }
    free(table->cells);
    free(table);
}

void table_cell(struct table *table, const char *text, int colour)
{
    table->cells = mem_realloc(table->cells, (table->cell_count + 1) * sizeof *table->cells);
    table->cells[table->cell_count++] = (struct cell){mem_strdup(text), NULL, colour};
}

void table_note(struct table *table, const char *text)
{
    struct cell *last = &table->cells[table->cell_count - 1];
    free(last->note);
    last->note = mem_strdup(text);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = strlen(table->columns[c].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t length = strlen(table->cells[i].text);
        size_t c = i % table->column_count;
        if (length > widths[c])
            widths[c] = length;
    }
}

static size_t total_width(const struct table *table, const size_t *widths)
{
    size_t total = 0;
    for (size_t c = 0; c < table->column_count; c++)
        total += widths[c] > 0 ? widths[c] + GAP : 0;
    return total > 0 ? total - GAP : 0;
}

// A column that is left out has the width 0.
static void leave_out(const struct table *table, size_t *widths, size_t width)
{
    while (total_width(table, widths) > width) {
        size_t worst = 0;
        int priority = 0;
        for (size_t c = 0; c < table->column_count; c++) {
            if (widths[c] > 0 && table->columns[c].priority > priority) {
                priority = table->columns[c].priority;
                worst = c;
            }
        }
        if (priority == 0)
            return;
        widths[worst] = 0;
    }
}

static void pad(struct buf *out, size_t count)
{
    while (count-- > 0)
        buf_append(out, " ", 1);
}

static void render_text(struct buf *out, const char *text, int colour, bool colours)
{
    if (colours && colour)
        buf_printf(out, "\033[%dm%s\033[0m", colour, text);
    else
        buf_append_text(out, text);
}

static void render_row(const struct table *table, const size_t *widths, const struct cell *row,
                       bool colours, struct buf *out)
{
    size_t owed = 0; // blanks before the next column: none at the end of a line
    for (size_t c = 0; c < table->column_count; c++) {
        const char *text = row ? row[c].text : table->columns[c].title;
        if (widths[c] == 0)
            continue;
        size_t blanks = widths[c] - strlen(text);
        pad(out, owed + (table->columns[c].right ? blanks : 0));
        render_text(out, text, row ? row[c].colour : 1, colours);
        owed = GAP + (table->columns[c].right ? 0 : blanks);
    }
    buf_append_text(out, "\n");
    const char *note = row ? row[table->column_count - 1].note : NULL;
    if (note)
        buf_printf(out, "    %s\n", note);
}

void table_render(const struct table *table, size_t width, bool colours, struct buf *out)
{
    size_t *widths = mem_zalloc(table->column_count, sizeof *widths);
    measure(table, widths);
    leave_out(table, widths, width);
    render_row(table, widths, NULL, colours, out);
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count)
        render_row(table, widths, &table->cells[i], colours, out);
    free(widths);
}
