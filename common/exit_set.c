// One bit a code, one bit a signal.

#include "common/exit_set.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/config_path.h"
#include "common/signal_name.h"

enum { CODE_LAST = 255, CODES_A_WORD = 64 };

static void add_code(struct exit_set *set, int64_t code)
{
    set->codes[code / CODES_A_WORD] |= UINT64_C(1) << (code % CODES_A_WORD);
}

// The code in a number, or in a string that is nothing else; -1: there is none.
static int64_t code_of(struct json_object *value)
{
    if (json_object_is_type(value, json_type_int))
        return json_object_get_int64(value);
    const char *text = json_object_get_string(value);
    char *end;
    if (!json_object_is_type(value, json_type_string) || !isdigit((unsigned char)*text))
        return -1;
    int64_t code = strtoll(text, &end, 10);
    return *end ? -1 : code;
}

static int add_value(struct exit_set *set, struct json_object *value, struct err *err)
{
    int64_t code = code_of(value);
    if (code >= 0 && code <= CODE_LAST) {
        add_code(set, code);
        return 0;
    }
    if (json_object_is_type(value, json_type_string)) {
        int signal = signal_name_find(json_object_get_string(value));
        if (signal > 0) {
            set->signals |= UINT32_C(1) << signal;
            return 0;
        }
    }
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not an exit code (0 to 255) or the name of a signal", quoted);
    free(quoted);
    return -1;
}

int exit_set_parse(struct json_object *value, struct exit_set *set, struct err *err)
{
    bool is_array = json_object_is_type(value, json_type_array);
    size_t count = is_array ? json_object_array_length(value) : 1;
    int result = 0;

    memset(set, 0, sizeof *set);
    for (size_t i = 0; i < count && result == 0; i++)
        result = add_value(set, is_array ? json_object_array_get_idx(value, i) : value, err);
    if (result == -1)
        memset(set, 0, sizeof *set);
    return result;
}

bool exit_set_has(const struct exit_set *set, int status)
{
    if (status < 0)
        return false; // nobody saw how it ended
    if (WIFSIGNALED(status))
        return WTERMSIG(status) < 32 && (set->signals >> WTERMSIG(status) & 1);
    int code = WEXITSTATUS(status);
    return set->codes[code / CODES_A_WORD] >> (code % CODES_A_WORD) & 1;
}
