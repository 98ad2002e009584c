// One pass over the text; a word ends at a blank outside quotes. Variables, globs and operators are
// plain characters here: nothing is run.

#include "common/shell_words.h"

#include <string.h>

#include "common/buf.h"
#include "common/key_values.h"
#include "common/mem.h"

static const char blanks[] = " \t\r\n";

// text is behind the opening quote; returns behind the closing one, NULL when there is none.
static const char *take_quoted(const char *text, char quote, struct buf *word)
{
    while (*text && *text != quote) {
        // POSIX: within double quotes a backslash protects only these.
        if (quote == '"' && text[0] == '\\' && text[1] && strchr("\"\\$`", text[1]))
            text++;
        buf_append(word, text++, 1);
    }
    return *text ? text + 1 : NULL;
}

static const char *take_word(const char *text, struct buf *word, struct err *err)
{
    while (*text && !strchr(blanks, *text)) {
        char first = *text++;
        if (first == '\'' || first == '"') {
            text = take_quoted(text, first, word);
            if (!text) {
                (void)err_set(err, "a quote (%c) without its end", first);
                return NULL;
            }
            continue;
        }
        if (first == '\\' && !*text) {
            (void)err_set(err, "a backslash at the end");
            return NULL;
        }
        buf_append(word, first == '\\' ? text++ : text - 1, 1);
    }
    return text;
}

int shell_words_split(const char *text, struct key_strings *words, struct err *err)
{
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        struct buf word = BUF_INIT;
        text = take_word(text, &word, err);
        if (text)
            key_strings_add(words, mem_strdup(buf_text(&word)));
        buf_free(&word);
        if (!text)
            return -1;
    }
    return 0;
}
