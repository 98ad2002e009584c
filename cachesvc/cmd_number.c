// Counters: numbers kept as their text.
#include "handlers.h"

#include <math.h>
#include <string.h>

#include "number.h"

// Sets the key, old or new, to a text; a key that was there keeps its expiry and tags.
static bool replace(struct request *request, const struct store_value *old, char *text,
                    size_t length)
{
    struct resp_arg bytes = {.bytes = text, .length = length};
    return old ? value_change(request, 1, old, &bytes) : value_set(request, 1, &bytes, 0);
}

// A number's text cannot be longer; a value that is longer is none.
static bool load_integer(struct request *request, const struct store_value *value, int64_t *number)
{
    char text[NUMBER_SIZE];
    if (value->length > sizeof text)
        return false;
    store_copy(request->store, value, text);
    return number_parse(text, value->length, number);
}

static void add(struct request *request, int64_t step)
{
    struct store_value old;
    char text[NUMBER_SIZE];
    int64_t number = 0;
    bool exists = value_find(request, 1, &old);
    if (exists && !load_integer(request, &old, &number)) {
        reply_error(request->out, "ERR value is not an integer or out of range");
        return;
    }
    if (step > 0 ? number > INT64_MAX - step : number < INT64_MIN - step) {
        reply_error(request->out, "ERR increment or decrement would overflow");
        return;
    }
    number += step;
    if (replace(request, exists ? &old : NULL, text, number_format(number, text)))
        reply_integer(request->out, number);
}

void command_incr(struct request *request)
{
    add(request, 1);
}

void command_decr(struct request *request)
{
    add(request, -1);
}

void command_incrby(struct request *request)
{
    int64_t step;
    if (arg_integer(request, 2, &step))
        add(request, step);
}

void command_decrby(struct request *request)
{
    int64_t step;
    if (!arg_integer(request, 2, &step))
        return;
    if (step == INT64_MIN)
        reply_error(request->out, "ERR decrement would overflow");
    else
        add(request, -step);
}

static bool load_float(struct request *request, const struct store_value *value,
                       long double *number)
{
    if (value->length >= NUMBER_FLOAT_SIZE)
        return false;
    return number_parse_float(value_load(request, value, 0), value->length, number);
}

void command_incrbyfloat(struct request *request)
{
    struct store_value old;
    const struct resp_arg *arg = &request->args[2];
    char text[NUMBER_FLOAT_SIZE];
    long double number = 0, step;
    bool exists = value_find(request, 1, &old);
    if ((exists && !load_float(request, &old, &number)) ||
        !number_parse_float(arg->bytes, arg->length, &step)) {
        reply_error(request->out, "ERR value is not a valid float");
        return;
    }
    number += step;
    if (isnan(number) || isinf(number)) {
        reply_error(request->out, "ERR increment would produce NaN or Infinity");
        return;
    }
    size_t length = number_format_float(number, text);
    if (replace(request, exists ? &old : NULL, text, length))
        reply_bulk(request->out, text, length);
}
