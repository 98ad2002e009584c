// The only place that knows the limit we were started with. The hard limit is never touched, so
// that everybody can have it.

#include "file_limit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"

static struct rlimit found; // zero: not raised

static void set_soft(rlim_t soft)
{
    if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, found.rlim_max}) == -1)
        log_error("the limit of open files stays as it is: %s", strerror(errno));
}

void file_limit_raise(void)
{
    if (getrlimit(RLIMIT_NOFILE, &found) == 0 && found.rlim_cur != found.rlim_max)
        set_soft(found.rlim_max);
}

int64_t file_limit_of_programs(void)
{
    return found.rlim_cur != found.rlim_max ? (int64_t)found.rlim_cur : 0;
}

void file_limit_restore(void)
{
    if (found.rlim_cur != found.rlim_max)
        set_soft(found.rlim_cur);
}

int file_limit_error(struct err *err)
{
    if (errno != EMFILE)
        return err_set(err, "%s", strerror(errno));
    return err_set(err,
                   "the supervisor has %llu files open and may not have more; the hard limit "
                   "(ulimit -Hn) has to be higher where it is started",
                   (unsigned long long)found.rlim_max);
}
