// Reading arguments, with the errors that Redis has for wrong ones.
#include "handlers.h"

#include <string.h>

#include "number.h"

bool arg_is(const struct resp_arg *arg, const char *word)
{
    size_t i = 0;
    for (; i < arg->length && word[i] != '\0'; ++i) {
        char byte = arg->bytes[i];
        if ((byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte) != word[i])
            return false;
    }
    return i == arg->length && word[i] == '\0';
}

bool arg_integer(struct request *request, size_t index, int64_t *value)
{
    const struct resp_arg *arg = &request->args[index];
    bool is_number = number_parse(arg->bytes, arg->length, value);
    if (!is_number)
        reply_error(request->out, "ERR value is not an integer or out of range");
    return is_number;
}

bool arg_expiry(struct request *request, size_t index, enum expire_kind kind, uint64_t *expires_ms)
{
    int64_t value;
    if (!arg_integer(request, index, &value))
        return false;
    bool in_seconds = kind == EXPIRE_EX || kind == EXPIRE_EXAT;
    bool is_relative = kind == EXPIRE_EX || kind == EXPIRE_PX;
    int64_t factor = in_seconds ? 1000 : 1;
    int64_t base = is_relative ? (int64_t)request->now_ms : 0;
    if (value <= 0 || value > INT64_MAX / factor || value * factor > INT64_MAX - base) {
        reply_error(request->out, "ERR invalid expire time in '%s' command",
                    request->command->name);
        return false;
    }
    *expires_ms = (uint64_t)(value * factor + base);
    return true;
}

void reply_syntax_error(struct request *request)
{
    reply_error(request->out, "ERR syntax error");
}

void reply_wrong_count(struct request *request)
{
    reply_error(request->out, "ERR wrong number of arguments for '%s' command",
                request->command->name);
}
