// One pattern a form; a date fits it byte by byte or is none. Lenient readers take "UTC", one-digit
// hours or two-digit years in the first form for dates, and then disagree about what is fresh.
#include "http_date.h"

#include <string.h>
#include <time.h>

#include "grammar.h"

// In a pattern: w a name of a weekday, W a long one, m of a month, d the day, e the day with a
// blank for a leading 0, y year, Y its last two digits, H hour, M minute, S second, z the zone;
// others stand for themselves.
static const char *const patterns[] = {
    "w, d m y H:M:S z",
    "W, d-m-Y H:M:S z",
    "w m e H:M:S y",
};

static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

// Takes `length` bytes off the text; false when there are not so many.
static bool take(struct span *text, size_t length, struct span *piece)
{
    if (text->length < length)
        return false;
    *piece = (struct span){text->bytes, length};
    text->bytes += length;
    text->length -= length;
    return true;
}

static bool take_number(struct span *text, size_t digits, int *number)
{
    struct span piece;
    uint64_t value;
    if (!take(text, digits, &piece) || !grammar_decimal(piece, &value))
        return false;
    *number = (int)value;
    return true;
}

static bool take_weekday(struct span *text, bool is_long)
{
    for (size_t i = 0; i < sizeof(weekdays) / sizeof(weekdays[0]); ++i) {
        struct span rest = *text, piece;
        struct span name = {weekdays[i], is_long ? strlen(weekdays[i]) : 3};
        if (!take(&rest, name.length, &piece) || !grammar_equal(piece, name))
            continue;
        *text = rest;
        return true;
    }
    return false;
}

static bool take_month(struct span *text, int *month)
{
    struct span piece;
    if (!take(text, 3, &piece))
        return false;
    for (*month = 0; *month < 12; ++*month)
        if (grammar_equal(piece, (struct span){months + 3 * *month, 3}))
            return true;
    return false;
}

static bool take_padded_day(struct span *text, int *day)
{
    struct span blank;
    if (text->length > 0 && *text->bytes != ' ')
        return take_number(text, 2, day);
    return take(text, 1, &blank) && take_number(text, 1, day);
}

static bool take_year(struct span *text, int *year)
{
    if (!take_number(text, 4, year))
        return false;
    *year -= 1900;
    return true;
}

// The date fields are left as they stand; a short year is marked by *is_short.
static bool take_item(char item, struct span *text, struct tm *date, bool *is_short)
{
    struct span piece;
    switch (item) {
    case 'w':
    case 'W':
        return take_weekday(text, item == 'W');
    case 'm':
        return take_month(text, &date->tm_mon);
    case 'd':
        return take_number(text, 2, &date->tm_mday);
    case 'e':
        return take_padded_day(text, &date->tm_mday);
    case 'y':
        return take_year(text, &date->tm_year);
    case 'Y':
        *is_short = true;
        return take_number(text, 2, &date->tm_year);
    case 'H':
        return take_number(text, 2, &date->tm_hour);
    case 'M':
        return take_number(text, 2, &date->tm_min);
    case 'S':
        return take_number(text, 2, &date->tm_sec);
    case 'z':
        return take(text, 3, &piece) && grammar_equal(piece, SPAN("gmt"));
    }
    return take(text, 1, &piece) && grammar_equal(piece, (struct span){&item, 1});
}

static bool fits(const char *pattern, struct span text, struct tm *date, bool *is_short)
{
    *date = (struct tm){0};
    *is_short = false;
    for (; *pattern != '\0'; ++pattern)
        if (!take_item(*pattern, &text, date, is_short))
            return false;
    return text.length == 0;
}

// Only a date that exists stays as it is.
static bool count_seconds(const struct tm *date, int64_t *seconds)
{
    struct tm checked = *date;
    if (date->tm_hour > 23 || date->tm_min > 59 || date->tm_sec > 60)
        return false;
    checked.tm_hour = checked.tm_min = checked.tm_sec = 0;
    *seconds = (int64_t)timegm(&checked) + date->tm_hour * 3600 + date->tm_min * 60 + date->tm_sec;
    return checked.tm_mday == date->tm_mday && checked.tm_mon == date->tm_mon;
}

// tm_year holds two digits.
static void complete_year(struct tm *date, int64_t now_seconds)
{
    time_t now = (time_t)now_seconds;
    struct tm today;
    if (gmtime_r(&now, &today) == NULL)
        return;
    int century = today.tm_year - today.tm_year % 100;
    date->tm_year += century + 100;
    while (date->tm_year > today.tm_year + 50)
        date->tm_year -= 100;
}

bool http_date_parse(struct span text, int64_t now_seconds, int64_t *seconds)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); ++i) {
        struct tm date;
        bool is_short;
        if (!fits(patterns[i], text, &date, &is_short))
            continue;
        if (is_short)
            complete_year(&date, now_seconds);
        return count_seconds(&date, seconds);
    }
    return false;
}
