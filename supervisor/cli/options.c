// --name VALUE, --name=VALUE, -l VALUE; "--" ends options.

#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "common/keytable.h"
#include "common/mem.h"

static int find_long(const struct option_row *rows, const char *name, size_t length)
{
    for (int i = 0; rows[i].name; i++) {
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
            return i;
    }
    return -1;
}

static int find_letter(const struct option_row *rows, char letter)
{
    for (int i = 0; rows[i].name; i++) {
        if (rows[i].letter == letter)
            return i;
    }
    return -1;
}

static int refuse(const struct option_row *rows, const char *word, struct err *err)
{
    const char *names[OPTIONS_MAX + 1];
    size_t count = 0;
    for (; rows[count].name; count++)
        names[count] = rows[count].name;
    names[count] = NULL;
    bool is_long = strncmp(word, "--", 2) == 0;
    char *name = is_long ? mem_strndup(word + 2, strcspn(word + 2, "=")) : NULL;
    const char *near = name ? suggest_word(name, names) : NULL;
    free(name);
    return err_set(err, "unknown option %s%s%s%s", word, near ? "; did you mean --" : "",
                   near ? near : "", near ? "?" : "");
}

// Takes the option at words[*at]; moves *at to the last word it used.
static int take_option(const struct option_row *rows, int count, char **words, int *at,
                       struct options *options, struct err *err)
{
    const char *word = words[*at];
    bool is_long = word[1] == '-';
    const char *equals = is_long ? strchr(word, '=') : NULL;
    size_t length = is_long ? (equals ? (size_t)(equals - word) : strlen(word)) - 2 : 1;
    int row = is_long ? find_long(rows, word + 2, length)
                      : (word[2] == '\0' ? find_letter(rows, word[1]) : -1);

    if (row == -1)
        return refuse(rows, word, err);
    if (!rows[row].value) {
        options->values[row] = "";
        return equals ? err_set(err, "--%s takes no value", rows[row].name) : 0;
    }
    if (!equals && *at + 1 >= count)
        return err_set(err, "--%s needs a value: %s", rows[row].name, rows[row].value);
    options->values[row] = equals ? equals + 1 : words[++*at];
    return 0;
}

// "-" is standard input, "-1" a number.
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

int options_parse(const struct option_row *rows, int count, char **words, struct options *options,
                  struct err *err)
{
    *options = (struct options){0};
    options->words = mem_zalloc((size_t)count + 1, sizeof(char *));
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--") == 0) {
            options->rest = &words[i + 1];
            options->rest_count = (size_t)(count - i - 1);
            return 0;
        }
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            options->help = true;
        else if (!is_option(words[i]))
            options->words[options->word_count++] = words[i];
        else if (take_option(rows, count, words, &i, options, err) == -1)
            return -1;
    }
    return 0;
}

void options_free(struct options *options)
{
    free(options->words);
}

const char *options_get(const struct options *options, const struct option_row *rows,
                        const char *name)
{
    int row = find_long(rows, name, strlen(name));
    return row >= 0 ? options->values[row] : NULL;
}

int options_get_count(const struct options *options, const struct option_row *rows,
                      const char *name, size_t fallback, size_t *count)
{
    const char *text = options_get(options, rows, name);
    char *end;
    *count = fallback;
    if (!text)
        return 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 0)
        return -1;
    *count = (size_t)number;
    return 0;
}
