// Makes memfds and descriptors for those who may only read them. What is in them, who maps them and
// where they are kept is not decided here.

#include "common/sealed_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int sealed_memory_create(const char *name, uint64_t size, struct err *err)
{
    char file[64];
    snprintf(file, sizeof file, "gwctl-%s", name);
    int fd = memfd_create(file, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1)
        return err_set_errno(err, "%s page", name);
    if (ftruncate(fd, (off_t)size) == -1 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == -1) {
        err_set_errno(err, "%s page of %llu bytes", name, (unsigned long long)size);
        close(fd);
        return -1;
    }
    return fd;
}

bool sealed_memory_has_size(int fd, uint64_t size)
{
    struct stat stat;
    return fd >= 0 && fstat(fd, &stat) == 0 && (uint64_t)stat.st_size == size;
}

int sealed_memory_open_reader(int fd, const char *name, struct err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    return reader == -1 ? err_set_errno(err, "%s page", name) : reader;
}
