// What a command says on stderr when it fails.
#ifndef GW_CLI_REPORT_H
#define GW_CLI_REPORT_H

// Each line of text with "gwctl: " before it. Returns EXIT_FAILED.
int report_error(const char *text);

#endif
