// One form for all errors, also for those of several lines.

#include "common/report.h"

#include <errno.h>
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

int report_finish_output(int code)
{
    int result = fflush(stdout);
    if (result == 0 && !ferror(stdout))
        return code;
    if (result != 0 && errno == EPIPE)
        return code;
    fprintf(stderr, "gwctl: standard output: %s\n",
            result != 0 ? strerror(errno) : "not everything could be written");
    return code == EXIT_OK ? EXIT_FAILED : code;
}
