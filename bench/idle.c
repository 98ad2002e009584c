// An app that notes when it was executed, says READY=1 where somebody wants to hear it, and does
// nothing.
//
//   bench-idle FILE NAME    appends "NAME PID NANOSECONDS" to FILE, by the monotonic clock
//
// A program without any proof counts as online after 500 ms; the benchmark would measure those.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void note(const char *path, const char *name)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1)
        exit(EXIT_FAILURE);
    dprintf(fd, "%s %d %lld\n", name, (int)getpid(),
            (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    close(fd);
}

static void say_ready(const char *path)
{
    static const char ready[] = "READY=1";
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (fd == -1 || sendto(fd, ready, strlen(ready), 0, (struct sockaddr *)&to, sizeof to) == -1)
        exit(EXIT_FAILURE);
    close(fd);
}

int main(int count, char **words)
{
    const char *notify = getenv("NOTIFY_SOCKET");
    if (count != 3)
        return 2;
    note(words[1], words[2]);
    if (notify)
        say_ready(notify);
    for (;;)
        pause();
}
