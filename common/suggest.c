// The word that a person may have meant: the nearest by optimal string alignment distance (a letter
// put in, left out, replaced, or two neighbours swapped count 1 each).

#include <string.h>

#include "common/keytable.h"

enum { WORD_LIMIT = 64 }; // longer words get no suggestion

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[WORD_LIMIT + 1][WORD_LIMIT + 1];
    for (size_t i = 0; i <= a_length; i++)
        rows[i][0] = (unsigned)i;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++)
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, rows[i - 2][j - 2] + 1);
            rows[i][j] = best;
        }
    return rows[a_length][b_length];
}

const char *suggest_word(const char *word, const char *const *words)
{
    size_t length = strlen(word);
    unsigned limit = (unsigned)(length / 3) + 1; // below this
    const char *best = NULL;

    for (; length <= WORD_LIMIT && *words; words++) {
        size_t other = strlen(*words);
        unsigned found = other <= WORD_LIMIT ? distance(word, length, *words, other) : limit;
        if (found < limit) {
            limit = found;
            best = *words;
        }
    }
    return best;
}
