// Expands ${NAME} and ${NAME:-default} in one string. Where the values come from is the caller's.

#include "common/subst.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

struct expansion {
    subst_lookup *lookup;
    void *context;
    struct buf out;
    struct err *err;
};

static int append_value(struct expansion *expansion, const char *name, const char *fallback)
{
    const char *value = expansion->lookup(name, expansion->context);
    if (fallback && (!value || !*value))
        value = fallback;
    if (!value)
        return err_set(expansion->err, "the variable %s is not set; ${%s:-...} gives a default",
                       name, name);
    buf_append_text(&expansion->out, value);
    return 0;
}

// `inside` is what stands between the braces.
static int append_reference(struct expansion *expansion, char *inside)
{
    size_t length = strspn(inside, name_letters);
    char *fallback = NULL;

    if (strncmp(inside + length, ":-", 2) == 0)
        fallback = inside + length + 2;
    else if (inside[length] != '\0')
        length = 0;
    if (length == 0 || (inside[0] >= '0' && inside[0] <= '9'))
        return err_set(expansion->err, "${%s} is neither ${NAME} nor ${NAME:-default}", inside);
    inside[length] = '\0';
    return append_value(expansion, inside, fallback);
}

// *text is at "${"; behind the "}" on success.
static int take_reference(struct expansion *expansion, const char **text)
{
    const char *end = strchr(*text, '}');
    if (!end)
        return err_set(expansion->err, "${ without its }; $$ is a dollar sign");
    char *inside = mem_strndup(*text + 2, (size_t)(end - *text - 2));
    int result = append_reference(expansion, inside);
    free(inside);
    *text = end + 1;
    return result;
}

char *subst_expand(const char *text, subst_lookup *lookup, void *context, struct err *err)
{
    struct expansion expansion = {.lookup = lookup, .context = context, .err = err};

    while (*text) {
        size_t plain = strcspn(text, "$");
        buf_append(&expansion.out, text, plain);
        text += plain;
        if (text[0] == '$' && text[1] == '{') {
            if (take_reference(&expansion, &text) < 0) {
                buf_free(&expansion.out);
                return NULL;
            }
        } else if (text[0] == '$') {
            buf_append_text(&expansion.out, "$");
            text += text[1] == '$' ? 2 : 1;
        }
    }
    char *result = mem_strdup(buf_text(&expansion.out));
    buf_free(&expansion.out);
    return result;
}
