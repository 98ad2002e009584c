// What each command needs of Redis, which of its arguments are keys, and which keys a purge hits.
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "mirror_plan.h"

enum { WORDS_MAX = 16 };

// Text with NULs in it, and its length.
#define BYTES(text)                                                                                \
    {                                                                                              \
        {.bytes = (char *)(text)}, sizeof(text) - 1                                                \
    }

static struct resp_arg args[WORDS_MAX];
static size_t count;
static const struct command *command; // NULL: nothing runs this line
static char words[256];               // of the line, without NULs

static struct resp_arg text(const char *bytes)
{
    return (struct resp_arg){.bytes = (char *)bytes, .length = strlen(bytes)};
}

// Words with one space between them.
static void read_line(const char *line)
{
    char *rest = words, *word;
    ck_assert_uint_lt(strlen(line), sizeof words);
    strcpy(words, line);
    for (count = 0; (word = strsep(&rest, " ")) != NULL; ++count) {
        ck_assert_uint_lt(count, WORDS_MAX);
        args[count] = text(word);
    }
    command = commands_match(args, count);
}

static enum mirror_plan plan_of(const char *line)
{
    read_line(line);
    ck_assert_msg(command != NULL, "%s", line);
    return mirror_plan(command, args, count);
}

// The keys of the line, with a space behind each.
static const char *keys_of_line(void)
{
    static struct buf keys;
    buf_consume(&keys, keys.length);
    for (size_t at = mirror_first_key(command); at != 0; at = mirror_next_key(command, at, count)) {
        ck_assert_uint_lt(at, count);
        buf_append(&keys, args[at].bytes, args[at].length);
        buf_append(&keys, " ", 1);
    }
    return buf_text(&keys);
}

// --- each command -------------------------------------------------------------------------------

enum { NEVER_ASKED = -1 }; // it has subcommands, none of which runs before Redis is asked

// In the order of the table. A new command has to be thought of here.
static const struct {
    const char *line, *keys;
    int plan;
} plans[] = {
    {"append k v", "k ", PLAN_ASK},
    {"auth k", "", PLAN_RUN},
    {"cache.delpattern k*", "", PLAN_PURGE},
    {"cache.invalidate k v", "", PLAN_PURGE},
    {"cache.lock k token 1000", "", PLAN_RUN},
    {"cache.purgetag t", "", PLAN_RUN},
    {"cache.set k v tags 1 t", "k ", PLAN_RUN},
    {"cache.stats", "", PLAN_RUN},
    {"cache.tag k t", "k ", PLAN_FETCH},
    {"cache.unlock k token", "", PLAN_RUN},
    {"cache.wait k 1000", "", PLAN_RUN},
    {"client id", "", NEVER_ASKED},
    {"command count", "", NEVER_ASKED},
    {"config get x", "", NEVER_ASKED},
    {"dbsize", "", PLAN_RUN},
    {"decr k", "k ", PLAN_ASK},
    {"decrby k 2", "k ", PLAN_ASK},
    {"del k l m", "k l m ", PLAN_ASK},
    {"echo k", "", PLAN_RUN},
    {"exists k l m", "k l m ", PLAN_FETCH},
    {"expire k 1 nx", "k ", PLAN_ASK},
    {"expireat k 1", "k ", PLAN_ASK},
    {"expiretime k", "k ", PLAN_FETCH},
    {"flushall", "", PLAN_PURGE},
    {"flushdb async", "", PLAN_PURGE},
    {"get k", "k ", PLAN_FETCH},
    {"getdel k", "k ", PLAN_ASK},
    {"getex k ex 1", "k ", PLAN_ASK},
    {"getset k v", "k ", PLAN_ASK},
    {"hello 2", "", PLAN_RUN},
    {"incr k", "k ", PLAN_ASK},
    {"incrby k 2", "k ", PLAN_ASK},
    {"incrbyfloat k 2.5", "k ", PLAN_ASK},
    {"info server", "", PLAN_RUN},
    {"keys k", "", PLAN_RUN},
    {"memory usage k", "", NEVER_ASKED},
    {"mget k l m", "k l m ", PLAN_FETCH},
    {"mset k v l v", "k l ", PLAN_RUN},
    {"msetnx k v l v", "k l ", PLAN_ASK},
    {"persist k", "k ", PLAN_ASK},
    {"pexpire k 1", "k ", PLAN_ASK},
    {"pexpireat k 1", "k ", PLAN_ASK},
    {"pexpiretime k", "k ", PLAN_FETCH},
    {"ping k", "", PLAN_RUN},
    {"psetex k 1000 v", "k ", PLAN_RUN},
    {"pttl k", "k ", PLAN_FETCH},
    {"quit", "", PLAN_RUN},
    {"rename k l", "k l ", PLAN_ASK},
    {"renamenx k l", "k l ", PLAN_ASK},
    {"reset", "", PLAN_RUN},
    {"scan 0 match k", "", PLAN_RUN},
    {"select 0", "", PLAN_RUN},
    {"set k v", "k ", PLAN_RUN},
    {"setex k 1 v", "k ", PLAN_RUN},
    {"setnx k v", "k ", PLAN_ASK},
    {"strlen k", "k ", PLAN_FETCH},
    {"touch k l m", "k l m ", PLAN_FETCH},
    {"ttl k", "k ", PLAN_FETCH},
    {"type k", "k ", PLAN_FETCH},
    {"unlink k l m", "k l m ", PLAN_ASK},
};
enum { PLANS = sizeof plans / sizeof *plans };

START_TEST(the_plan_of_each_command)
{
    for (size_t i = 0; i < PLANS; ++i) {
        const char *name = commands_table[i].name;
        ck_assert_msg(name != NULL, "there is no command for: %s", plans[i].line);
        read_line(plans[i].line);
        ck_assert_msg(strcmp(words, name) == 0, "%s: where is its plan? (%s)", name, plans[i].line);
        if (plans[i].plan == NEVER_ASKED) {
            ck_assert_ptr_null(command);
            continue;
        }
        ck_assert_ptr_eq(command, &commands_table[i]);
        ck_assert_msg(mirror_plan(command, args, count) == (enum mirror_plan)plans[i].plan, "%s",
                      plans[i].line);
        ck_assert_msg(strcmp(keys_of_line(), plans[i].keys) == 0, "%s: %s", plans[i].line,
                      keys_of_line());
    }
    ck_assert_msg(commands_count() == PLANS, "%s: where is its plan?", commands_table[PLANS].name);
}
END_TEST

static const struct {
    const char *line;
    enum mirror_plan plan;
} sets[] = {
    {"SET k v EX 10", PLAN_RUN},        {"SET k v PX 10", PLAN_RUN},
    {"SET k v EXAT 10", PLAN_RUN},      {"SET k v PXAT 10", PLAN_RUN},
    {"SET k v NX", PLAN_ASK},           {"SET k v XX", PLAN_ASK},
    {"SET k v GET", PLAN_ASK},          {"SET k v KEEPTTL", PLAN_ASK},
    {"SET k v nx", PLAN_ASK},           {"set k v kEEpttl", PLAN_ASK},
    {"SET k v EX 10 NX", PLAN_ASK},     {"SET k v XX PX 10", PLAN_ASK},
    {"SET k v NX GET", PLAN_ASK},       {"SET k v EX 10 GET", PLAN_ASK},
    {"SET nx get", PLAN_RUN},                                      // a key and a value
    {"SET keepttl xx EX 10", PLAN_RUN}, {"SET k v nxx", PLAN_RUN}, // no option: refused here
};

START_TEST(the_plan_of_set)
{
    ck_assert_int_eq(plan_of(sets[_i].line), sets[_i].plan);
}
END_TEST

// --- keys ---------------------------------------------------------------------------------------

static const struct {
    const char *line, *keys;
} lines[] = {
    {"GET k", "k "},
    {"MGET k", "k "},
    {"MGET k k l", "k k l "},
    {"RENAME k k", "k k "},
    {"MSET k v", "k "},
    {"MSET k v l w m x", "k l m "},
    {"MSET k v l", "k l "}, // refused: the last has no value
    {"MSETNX k v l", "k l "},
    {"SET k v EX 10 NX", "k "},
    {"CACHE.SET k v PX 10 TAGS 2 t u", "k "},
    {"CACHE.TAG k t u", "k "},
    {"GETEX k PX 10", "k "},
    {"CACHE.LOCK k token 1000 SESSION", ""},
    {"CACHE.PURGETAG t u", ""},
    {"PING", ""},
};

START_TEST(keys_among_arguments)
{
    read_line(lines[_i].line);
    ck_assert_ptr_nonnull(command);
    ck_assert_str_eq(keys_of_line(), lines[_i].keys);
}
END_TEST

START_TEST(what_machines_know_of_each_other_is_reserved)
{
    ck_assert(mirror_is_reserved("~gwctl:", 7));
    ck_assert(mirror_is_reserved("~gwctl:epochs", 13));
    ck_assert(mirror_is_reserved("~gwctl:\0", 8));
    ck_assert(!mirror_is_reserved("~gwctl:", 6));
    ck_assert(!mirror_is_reserved("~gwctl;", 7));
    ck_assert(!mirror_is_reserved("~GWCTL:epochs", 13));
    ck_assert(!mirror_is_reserved("a~gwctl:epochs", 14));
    ck_assert(!mirror_is_reserved("", 0));
}
END_TEST

// A command with a reserved key among its keys stays here.
static const struct {
    const char *line;
    enum mirror_plan plan;
} reserved[] = {
    {"GET ~gwctl:epochs", PLAN_RUN},     {"MGET k l ~gwctl:epochs", PLAN_RUN},
    {"INCR ~gwctl:tag:1", PLAN_RUN},     {"DEL k ~gwctl:tag:1", PLAN_RUN},
    {"SET ~gwctl:x v NX", PLAN_RUN},     {"RENAME k ~gwctl:x", PLAN_RUN},
    {"RENAME ~gwctl:x k", PLAN_RUN},     {"MSETNX k v ~gwctl:x v", PLAN_RUN},
    {"MSETNX k ~gwctl:x l v", PLAN_ASK}, // a value
    {"APPEND k ~gwctl:x", PLAN_ASK},     {"GET k~gwctl:epochs", PLAN_FETCH},
};

START_TEST(commands_with_reserved_keys)
{
    ck_assert_int_eq(plan_of(reserved[_i].line), reserved[_i].plan);
}
END_TEST

// --- patterns -----------------------------------------------------------------------------------

static bool matches(const struct buf *pattern, const char *bytes, size_t length)
{
    return glob_match(pattern->data, pattern->length, bytes, length);
}

START_TEST(literally_means_this_byte_alone)
{
    for (int byte = 0; byte < 256; ++byte) {
        struct buf pattern = BUF_INIT;
        buf_append(&pattern, "*x", 2); // it appends
        mirror_append_literally(&pattern, &(char){(char)byte}, 1);
        for (int other = 0; other < 256; ++other) {
            const char key[] = {'a', 'x', (char)other};
            if (matches(&pattern, key, sizeof key) != (byte == other))
                ck_abort_msg("%d, %d", byte, other);
        }
        ck_assert(!matches(&pattern, "ax", 2));
        buf_free(&pattern);
    }
}
END_TEST

static const struct resp_arg names[] = {
    BYTES("user"), BYTES("users"), BYTES("user:1"), BYTES("1"),     BYTES(""),      BYTES("*"),
    BYTES("us*"),  BYTES("u?er"),  BYTES("[a-z]"),  BYTES("[^a]"),  BYTES("[user"), BYTES("user]"),
    BYTES("\\"),   BYTES("us\\e"), BYTES("\\*"),    BYTES("[\\]]"), BYTES("-"),     BYTES("^"),
    BYTES("\0"),   BYTES("u\0s"),  BYTES("\xff\n"),
};
enum { NAMES = sizeof names / sizeof *names };

static void add_arg(struct buf *key, const struct resp_arg *arg)
{
    buf_append(key, arg->bytes, arg->length);
}

// What a key begins with that the pattern of that number is to match. The handler of
// CACHE.INVALIDATE looks for the same in the store.
static struct buf prefix_of(size_t number, const struct resp_arg *resource,
                            const struct resp_arg *id)
{
    static const char *const before[MIRROR_PATTERNS_MAX] = {"", "list:", "query:"};
    struct buf prefix = BUF_INIT;
    buf_append_text(&prefix, before[number]);
    add_arg(&prefix, resource);
    if (number == 0) {
        buf_append(&prefix, ":", 1);
        add_arg(&prefix, id);
        buf_append(&prefix, ":", 1);
    }
    return prefix;
}

static void expect_match(const struct buf *pattern, const struct buf *prefix, const struct buf *key)
{
    bool begins_so = key->length >= prefix->length &&
                     (prefix->length == 0 || memcmp(key->data, prefix->data, prefix->length) == 0);
    if (matches(pattern, key->data, key->length) != begins_so) // so often that ck_assert is slow
        ck_abort_msg("%.*s, %.*s", (int)pattern->length, pattern->data, (int)key->length,
                     key->data);
}

// Against the keys of all other names, with nothing and something behind.
static void expect_matches_of_names(const struct buf *pattern, const struct buf *prefix)
{
    for (size_t i = 0; i < MIRROR_PATTERNS_MAX * NAMES * NAMES; ++i) {
        struct buf key = prefix_of(i % MIRROR_PATTERNS_MAX, &names[i / MIRROR_PATTERNS_MAX % NAMES],
                                   &names[i / MIRROR_PATTERNS_MAX / NAMES]);
        expect_match(pattern, prefix, &key);
        buf_append(&key, "*:x", 3);
        expect_match(pattern, prefix, &key);
        buf_free(&key);
    }
}

// Against the prefix itself, longer, shorter, and with each byte changed.
static void expect_matches_of_changes(const struct buf *pattern, const struct buf *prefix)
{
    struct buf key = BUF_INIT;
    buf_append(&key, prefix->data, prefix->length);
    expect_match(pattern, prefix, &key);
    for (size_t at = 0; at < prefix->length; ++at) {
        char byte = key.data[at];
        for (int other = 0; other < 256; ++other) {
            key.data[at] = (char)other;
            expect_match(pattern, prefix, &key);
        }
        key.data[at] = byte;
    }
    buf_append(&key, "\0x", 2);
    expect_match(pattern, prefix, &key);
    if (prefix->length > 0)
        expect_match(pattern, prefix,
                     &(struct buf){.data = prefix->data, .length = prefix->length - 1});
    buf_free(&key);
}

START_TEST(invalidation_hits_these_names_alone)
{
    struct buf patterns[MIRROR_PATTERNS_MAX];
    struct resp_arg invalidate[] = {text("cache.invalidate"), names[_i], {{NULL}, 0}};
    for (size_t id = 0; id < NAMES; ++id) {
        invalidate[2] = names[id];
        command = commands_match(invalidate, 3);
        ck_assert_uint_eq(mirror_patterns(command, invalidate, patterns), 3);
        for (size_t i = 0; i < 3; ++i) {
            struct buf prefix = prefix_of(i, &names[_i], &names[id]);
            expect_matches_of_changes(&patterns[i], &prefix);
            if (id == (size_t)_i)
                expect_matches_of_names(&patterns[i], &prefix);
            buf_free(&prefix);
            buf_free(&patterns[i]);
        }
    }
}
END_TEST

START_TEST(other_purges_have_one_pattern)
{
    static const struct resp_arg delpattern[] = {BYTES("cache.delpattern"), BYTES("a\0[b]\\**")};
    struct buf patterns[MIRROR_PATTERNS_MAX];
    command = commands_match(delpattern, 2);
    ck_assert_uint_eq(mirror_patterns(command, delpattern, patterns), 1);
    ck_assert_uint_eq(patterns[0].length, delpattern[1].length);
    ck_assert_mem_eq(patterns[0].data, delpattern[1].bytes, delpattern[1].length);
    buf_free(&patterns[0]);

    static const char *const flushes[] = {"FLUSHALL", "FLUSHDB", "flushall ASYNC"};
    for (size_t i = 0; i < 3; ++i) {
        read_line(flushes[i]);
        ck_assert_uint_eq(mirror_patterns(command, args, patterns), 1);
        ck_assert_str_eq(buf_text(&patterns[0]), "*");
        buf_free(&patterns[0]);
    }
}
END_TEST

START_TEST(the_key_that_is_invalidated)
{
    static const struct resp_arg invalidate[] = {BYTES("cache.invalidate"), BYTES("us*r"),
                                                 BYTES("\0[1]")};
    struct buf key = BUF_INIT;
    ck_assert(mirror_invalidated_key(invalidate, &key));
    ck_assert_uint_eq(key.length, 9);
    ck_assert_mem_eq(key.data, "us*r:\0[1]", 9); // as it is: it is no pattern
    buf_free(&key);
}
END_TEST

// Together its two words may be a name that neither of them is.
START_TEST(a_reserved_key_is_not_invalidated)
{
    struct buf key = BUF_INIT;
    read_line("CACHE.INVALIDATE ~gwctl epochs");
    ck_assert(!mirror_invalidated_key(args, &key));
    buf_consume(&key, key.length);
    read_line("CACHE.INVALIDATE ~gwctl:tag 1");
    ck_assert(!mirror_invalidated_key(args, &key));
    buf_consume(&key, key.length);
    read_line("CACHE.INVALIDATE x~gwctl epochs");
    ck_assert(mirror_invalidated_key(args, &key));
    buf_free(&key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror_plan");
    TCase *tests = tcase_create("mirror_plan");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, the_plan_of_each_command);
    tcase_add_loop_test(tests, the_plan_of_set, 0, sizeof sets / sizeof *sets);
    tcase_add_loop_test(tests, keys_among_arguments, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tests, what_machines_know_of_each_other_is_reserved);
    tcase_add_loop_test(tests, commands_with_reserved_keys, 0, sizeof reserved / sizeof *reserved);
    tcase_add_test(tests, literally_means_this_byte_alone);
    tcase_add_loop_test(tests, invalidation_hits_these_names_alone, 0, NAMES);
    tcase_add_test(tests, other_purges_have_one_pattern);
    tcase_add_test(tests, the_key_that_is_invalidated);
    tcase_add_test(tests, a_reserved_key_is_not_invalidated);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
