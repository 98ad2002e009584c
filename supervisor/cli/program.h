// The programs that are installed beside gwctl.
#ifndef GW_CLI_PROGRAM_H
#define GW_CLI_PROGRAM_H

// Its path, in the folder that we run from; allocated.
char *program_beside_us(const char *name);

#endif
