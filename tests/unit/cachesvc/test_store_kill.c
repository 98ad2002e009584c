// The promise of the segment: a writer that changes it without pause is killed again and again,
// wherever it is, while other processes read. No value is ever torn, and none is seen after its
// deletion, purge or flush had been returned from, also by a writer that has been killed since.

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"

enum { SIZE = 2 << 20, KEYS = 64, TAGS = 4, READERS = 1, ROUNDS = 60, VALUE_MAX = 20000 };

// Everything that was stored with a number up to these is gone for good.
struct shared {
    _Atomic uint64_t number; // of the last value that was begun
    _Atomic uint64_t deleted[KEYS];
    _Atomic uint64_t purged[TAGS];
    _Atomic uint64_t flushed;
    _Atomic uint64_t hits[READERS];
    _Atomic bool stop;
};

struct value {
    uint64_t number;
    uint64_t length; // of the bytes
    char bytes[];
};

static void *base;
static struct shared *shared;
static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void *share(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static char byte_of(uint64_t number, size_t at)
{
    return (char)(number * 31 + at * 7);
}

static size_t key_of(unsigned number, char *key)
{
    memcpy(key, "key", 3);
    key[3] = (char)('0' + number);
    return 4;
}

// --- the writer ---------------------------------------------------------------------------------

static void write_value(struct store *store, unsigned number, uint64_t now_ms)
{
    static union {
        struct value value;
        char room[sizeof(struct value) + VALUE_MAX];
    } made;
    struct err err;
    char key[8], tag = (char)('a' + number % TAGS);
    uint32_t length = random_below(10) ? random_below(300) : random_below(VALUE_MAX);
    if (number % 4 == 0) // is written over the one before, in place
        length = VALUE_MAX - number;
    made.value = (struct value){atomic_fetch_add(&shared->number, 1) + 1, length};
    for (size_t i = 0; i < length; i++)
        made.value.bytes[i] = byte_of(made.value.number, i);
    struct segment_tag tags[] = {store_tag(store, &tag, 1)};
    struct store_set set = {.key = key,
                            .key_length = key_of(number, key),
                            .value = made.room,
                            .length = sizeof(struct value) + length,
                            .expires_ms = random_below(2) ? 0 : now_ms + random_below(5000),
                            .tags = tags,
                            .tag_count = number % 2};
    if (store_set(store, &set, now_ms, &err) == -1)
        abort();
}

static void change(struct store *store, uint64_t now_ms)
{
    unsigned number = random_below(KEYS), what = random_below(1000);
    uint64_t last = atomic_load(&shared->number);
    char key[8], tag = (char)('a' + random_below(TAGS));
    if (what < 700) {
        write_value(store, number, now_ms);
    } else if (what < 900) {
        store_delete(store, key, key_of(number, key), now_ms);
        atomic_store(&shared->deleted[number], last);
    } else if (what < 950) {
        store_purge_tag(store, &tag, 1);
        atomic_store(&shared->purged[tag - 'a'], last);
    } else if (what < 998) {
        store_expire_some(store, now_ms, 10);
    } else {
        store_flush(store);
        atomic_store(&shared->flushed, last);
    }
}

static void write_for_ever(uint32_t round)
{
    struct err err;
    uint64_t now_ms = UINT64_C(1700000000000) + round * UINT64_C(1000);
    seed = round;
    struct store *store = store_open(base, SIZE, now_ms, &err);
    if (!store || !store_is_sound(store))
        abort();
    while (!atomic_load(&shared->stop))
        change(store, now_ms++);
    store_close(store);
    _exit(0);
}

// --- a reader -----------------------------------------------------------------------------------

static void *allocate(void *context, size_t length)
{
    static _Alignas(struct value) char bytes[sizeof(struct value) + VALUE_MAX];
    (void)context;
    return length <= sizeof bytes ? bytes : NULL;
}

static uint64_t gone_until(unsigned number)
{
    uint64_t deleted = atomic_load(&shared->deleted[number]);
    uint64_t flushed = atomic_load(&shared->flushed);
    uint64_t purged = number % 2 ? atomic_load(&shared->purged[number % TAGS]) : 0;
    uint64_t last = deleted > flushed ? deleted : flushed;
    return last > purged ? last : purged;
}

static void read_once(const struct segment *segment, unsigned reader)
{
    unsigned number = random_below(KEYS);
    char key[8];
    struct segment_found found;
    uint64_t gone = gone_until(number);
    enum segment_answer answer = segment_get(segment, key, key_of(number, key),
                                             UINT64_C(1700000000000), allocate, NULL, &found);
    if (answer != SEGMENT_HIT)
        return;
    const struct value *value = (const struct value *)found.value;
    if (found.length < sizeof *value || found.length != sizeof *value + value->length ||
        value->number <= gone)
        abort();
    for (size_t i = 0; i < value->length; i++) {
        if (value->bytes[i] != byte_of(value->number, i))
            abort();
    }
    atomic_fetch_add(&shared->hits[reader], 1);
}

static void read_for_ever(unsigned reader)
{
    struct segment segment = segment_of(base, SIZE);
    seed = 1000 + reader;
    while (!atomic_load(&shared->stop))
        read_once(&segment, reader);
    _exit(0);
}

// --- the test -----------------------------------------------------------------------------------

static pid_t start(void (*run)(uint32_t number), uint32_t number)
{
    pid_t pid = fork();
    if (pid == 0)
        run(number);
    ck_assert_int_gt(pid, 0);
    return pid;
}

static void check_end(pid_t pid, int signal)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (signal)
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    else
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

START_TEST(nothing_is_torn_and_nothing_comes_back)
{
    struct err err;
    pid_t readers[READERS];
    unsigned mended = 0;
    base = share(SIZE);
    shared = share(sizeof *shared);
    store_close(store_open(base, SIZE, 0, &err));
    for (uint32_t i = 0; i < READERS; i++)
        readers[i] = start(read_for_ever, i);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        pid_t writer = start(write_for_ever, round);
        uint64_t enough = atomic_load(&shared->number) + 1 + random_below(300);
        while (atomic_load(&shared->number) < enough) {
            ck_assert_int_eq(waitpid(writer, NULL, WNOHANG), 0);
            sched_yield();
        }
        kill(writer, SIGKILL);
        check_end(writer, SIGKILL);
        mended += ((const struct segment_header *)base)->busy % 2;
    }
    atomic_store(&shared->stop, true);
    for (uint32_t i = 0; i < READERS; i++) {
        check_end(readers[i], 0);
        ck_assert_uint_gt(atomic_load(&shared->hits[i]), 0);
    }
    ck_assert_uint_gt(mended, 0); // some were killed in the middle of a change
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_kill");
    TCase *tests = tcase_create("store_kill");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_is_torn_and_nothing_comes_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
