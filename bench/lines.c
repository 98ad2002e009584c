// An app that writes numbered lines of 100 bytes as fast as they are taken, and whoever checks that
// they arrived.
//
//   bench-lines write COUNT FILE   to standard output, and then stays; FILE gets the time in
//                                  nanoseconds since 1970 before the first one
//   bench-lines check COUNT        whether standard input is exactly those lines

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, DIGITS = 10, BLOCK_LINES = 655 };

static void fill(char *block, long first, long count)
{
    memset(block, 'x', (size_t)count * LINE);
    for (long i = 0; i < count; i++, block += LINE) {
        long rest = first + i;
        for (int digit = DIGITS - 1; digit >= 0; digit--, rest /= 10)
            block[digit] = (char)('0' + rest % 10);
        block[LINE - 1] = '\n';
    }
}

static void note_time(const char *path)
{
    struct timespec now;
    FILE *file = fopen(path, "w");
    if (!file)
        exit(EXIT_FAILURE);
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(file, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    fclose(file);
}

static int put(const char *bytes, size_t length)
{
    for (ssize_t taken; length > 0; bytes += taken, length -= (size_t)taken) {
        if ((taken = write(STDOUT_FILENO, bytes, length)) <= 0)
            return -1;
    }
    return 0;
}

static int expect(const char *bytes, size_t length)
{
    static char found[BLOCK_LINES * LINE];
    return fread(found, 1, length, stdin) == length && memcmp(found, bytes, length) == 0 ? 0 : -1;
}

int main(int argc, char **words)
{
    static char block[BLOCK_LINES * LINE];
    int (*use)(const char *, size_t) = argc == 4 ? put : expect;
    long count = argc > 2 ? atol(words[2]) : 0;

    if (argc < 3 || strcmp(words[1], use == put ? "write" : "check") != 0)
        return 2;
    if (use == put)
        note_time(words[3]);
    for (long done = 0; done < count; done += BLOCK_LINES) {
        long some = count - done < BLOCK_LINES ? count - done : BLOCK_LINES;
        fill(block, done, some);
        if (use(block, (size_t)some * LINE) == -1)
            return EXIT_FAILURE;
    }
    while (use == put)
        pause();
    return getchar() == EOF ? EXIT_SUCCESS : EXIT_FAILURE;
}
