// What a command says on stderr when it fails.
#ifndef GW_COMMON_REPORT_H
#define GW_COMMON_REPORT_H

// Each line of text with "gwctl: " before it. Returns EXIT_FAILED.
int report_error(const char *text);

// At the end: what could not be written makes a command fail, which is told, but a reader that went
// away wanted no more. Returns the exit code: `code`, or EXIT_FAILED.
int report_finish_output(int code);

#endif
