// Layout of a table: widths from the cells, then columns go until the rest fits, then cells are
// cut.
//
// A width is a number of characters; what does not fit ends with an ellipsis.

#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { GAP = 2, NOTE_INDENT = 4, NOTE_LEAST = 8 };

#define ELLIPSIS "\xe2\x80\xa6"

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

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += begins_character(*text);
    return width;
}

// How many bytes the first `count` characters have.
static size_t text_bytes(const char *text, size_t count)
{
    const char *at = text;
    while (*at && (count > 0 || !begins_character(*at)))
        count -= begins_character(*at++);
    return (size_t)(at - text);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = text_width(table->columns[c].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = text_width(table->cells[i].text);
        size_t c = i % table->column_count;
        if (width > widths[c])
            widths[c] = width;
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

// What may not be left out is cut, the widest column first.
static void narrow(const struct table *table, size_t *widths, size_t width)
{
    while (total_width(table, widths) > width) {
        size_t widest = 0;
        for (size_t c = 1; c < table->column_count; c++) {
            if (widths[c] > widths[widest])
                widest = c;
        }
        if (widths[widest] <= 1)
            return;
        widths[widest]--;
    }
}

static void pad(struct buf *out, size_t count)
{
    while (count-- > 0)
        buf_append(out, " ", 1);
}

static void render_text(struct buf *out, const char *text, size_t width, int colour)
{
    bool fits = text_width(text) <= width;
    if (colour)
        buf_printf(out, "\033[%dm", colour);
    buf_append(out, text, text_bytes(text, fits ? width : width - 1));
    if (!fits)
        buf_append_text(out, ELLIPSIS);
    if (colour)
        buf_append_text(out, "\033[0m");
}

// How many bytes of text go on a line of `width`: up to a blank where there is one.
static size_t line_length(const char *text, size_t width)
{
    size_t most = text_bytes(text, width);
    if (text[most] == '\0' || text[most] == ' ')
        return most;
    for (size_t length = most; length > 0; length--) {
        if (text[length - 1] == ' ')
            return length - 1;
    }
    return most;
}

// In a terminal that is too narrow for words it is the rest that gets wider.
static void render_note(struct buf *out, const char *text, size_t width)
{
    size_t room = width > NOTE_INDENT + NOTE_LEAST ? width - NOTE_INDENT : NOTE_LEAST;
    while (*text) {
        size_t length = line_length(text, room);
        if (length > 0)
            buf_printf(out, "%*s%.*s\n", NOTE_INDENT, "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

static void render_row(const struct table *table, const size_t *widths, const struct cell *row,
                       bool colours, struct buf *out)
{
    size_t owed = 0; // blanks before the next column: none at the end of a line
    for (size_t c = 0; c < table->column_count; c++) {
        const char *text = row ? row[c].text : table->columns[c].title;
        if (widths[c] == 0)
            continue;
        size_t length = text_width(text);
        size_t blanks = length < widths[c] ? widths[c] - length : 0;
        pad(out, owed + (table->columns[c].right ? blanks : 0));
        render_text(out, text, widths[c], !colours ? 0 : row ? row[c].colour : 1);
        owed = GAP + (table->columns[c].right ? 0 : blanks);
    }
    buf_append_text(out, "\n");
}

void table_render(const struct table *table, size_t width, bool colours, struct buf *out)
{
    size_t *widths = mem_zalloc(table->column_count, sizeof *widths);
    measure(table, widths);
    leave_out(table, widths, width);
    narrow(table, widths, width);
    render_row(table, widths, NULL, colours, out);
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count) {
        const char *note = table->cells[i + table->column_count - 1].note;
        render_row(table, widths, &table->cells[i], colours, out);
        if (note)
            render_note(out, note, width);
    }
    free(widths);
}
