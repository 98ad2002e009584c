// One form for all errors, also for those of several lines.

#include "report.h"

#include <stdio.h>
#include <string.h>

#include "common/proto.h"

int report_error(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        fputs("gwctl: ", stderr);
        fwrite(text, 1, length, stderr);
        fputs("\n", stderr);
        text += length + (text[length] == '\n');
    }
    return EXIT_FAILED;
}
