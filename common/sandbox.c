// A seccomp filter of a few rows: it looks at the number of a system call, never at memory.
//
// Not its job: to list what is allowed. Libraries call what they like, and that changes with each
// of their versions; what an attacker in a worker wants is a shell. The invariant: no call by
// another architecture's numbers (32 bit, x32) goes through, for there execve has another one.

#include "common/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#else
#define NATIVE 0 // of none: the filter is refused below
#endif

enum { FIRST_X32 = 0x40000000 }; // numbers of x86-64's second set

#define LOAD(member)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))

static struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, 5), // the numbers: how many rows to leave out
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_X32, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_execve, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_execveat, 1, 0),
    ANSWER(SECCOMP_RET_ALLOW),
    ANSWER(SECCOMP_RET_ERRNO | EPERM),
};

int sandbox_forbid_exec(struct err *err)
{
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (NATIVE == 0)
        return err_set(err, "seccomp: this machine's system calls are not known");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        return err_set_errno(err, "no_new_privs");
    // TSYNC: of threads that run already as well.
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return err_set_errno(err, "seccomp");
    return 0;
}

void sandbox_enter(void)
{
    struct err err;
    if (sandbox_forbid_exec(&err) == -1)
        log_warn("programs can still be executed from here: %s", err.text);
}
