// Runs a fuzz target on every file of a folder, without libFuzzer: what once was an input worth
// keeping is a test from then on. Used where the compiler has no libFuzzer, and for coverage.
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[4096]; // of the input that runs, for the reader of a crash

static int run_file(const char *folder, const char *name)
{
    struct stat stat;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &stat) == -1)
        return -1;
    // Of exactly its size, so that a look behind its end is noticed.
    size_t size = (size_t)stat.st_size;
    uint8_t *data = malloc(size);
    if ((data == NULL && size > 0) || read(fd, data, size) != stat.st_size)
        return -1;
    close(fd);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int run_folder(const char *folder)
{
    struct dirent **entries;
    int inputs = 0, count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; ++i) {
        if (entries[i]->d_name[0] != '.') {
            fprintf(stderr, "%s/%s\n", folder, entries[i]->d_name);
            if (run_file(folder, entries[i]->d_name) == -1)
                perror(path);
            else
                ++inputs;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return inputs;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    int inputs = run_folder(arguments[1]);
    printf("%d inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
