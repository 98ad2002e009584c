// What a program that reads foreign bytes gives up for good.
#ifndef GW_COMMON_SANDBOX_H
#define GW_COMMON_SANDBOX_H

#include "common/err.h"

// From now on no thread of this process, and no child, executes a program: execve and execveat fail
// with EPERM. Sets no_new_privs. -1: this kernel or machine cannot; nothing has changed but that.
int sandbox_forbid_exec(struct err *err) GW_MUST_USE;

// The same; where it cannot be, the log says so.
void sandbox_enter(void);

#endif
