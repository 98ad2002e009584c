// Envelopes: which values need one, its bytes, and which are broken.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mirror_value.h"

#define MAGIC "\0gwctl1\n"

// Text with NULs in it, and its length.
#define BYTES(text) (text), sizeof(text) - 1

static void expect_wrapping(const struct mirror_tag *tags, size_t count, const char *value,
                            size_t length, const char *expected, size_t expected_length)
{
    struct buf out = BUF_INIT;
    buf_append_text(&out, "before"); // it appends
    mirror_value_wrap(&out, tags, count, value, length);
    ck_assert_uint_eq(out.length, 6 + expected_length);
    ck_assert_mem_eq(out.data, "before", 6);
    ck_assert_mem_eq(out.data + 6, expected, expected_length);
    buf_free(&out);
}

START_TEST(a_value_without_tags_is_itself)
{
    expect_wrapping(NULL, 0, BYTES("hello"), "", 0);
    expect_wrapping(NULL, 0, NULL, 0, "", 0);
    expect_wrapping(NULL, 0, BYTES("\0gwctl1"), "", 0);
    expect_wrapping(NULL, 0, BYTES("\0gwctl2\nvalue"), "", 0);
}
END_TEST

START_TEST(one_that_looks_like_an_envelope_gets_one)
{
    expect_wrapping(NULL, 0, BYTES(MAGIC), BYTES(MAGIC "\0"));
    expect_wrapping(NULL, 0, BYTES(MAGIC "\1value"), BYTES(MAGIC "\0"));
}
END_TEST

START_TEST(numbers_are_little_endian)
{
    static const struct mirror_tag tags[] = {{0x0102, UINT64_C(0x1112131415161718)},
                                             {SEGMENT_TAG_SLOTS_MIN - 1, UINT64_MAX}};
    expect_wrapping(tags, 2, BYTES("value"),
                    BYTES(MAGIC "\2\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11"
                                "\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff"));
    expect_wrapping(tags, 1, NULL, 0, BYTES(MAGIC "\1\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11"));
}
END_TEST

#define TAG "\x05\x00\x07\x00\x00\x00\x00\x00\x00\x00"
#define LAST_SLOT "\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00"
#define SLOT_TOO_LARGE "\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00"

static const struct {
    const char *bytes;
    size_t length;
    bool is_sound;
    size_t tags, value_at;
} stored[] = {
    {BYTES(""), true, 0, 0},
    {BYTES("value"), true, 0, 0},
    {BYTES("\0gwctl1"), true, 0, 0},
    {BYTES("\0gwctl2\nvalue"), true, 0, 0},
    {BYTES(MAGIC "\0"), true, 0, 9},
    {BYTES(MAGIC "\0value"), true, 0, 9},
    {BYTES(MAGIC "\0" MAGIC "\1"), true, 0, 9},
    {BYTES(MAGIC "\1" TAG "value"), true, 1, 19},
    {BYTES(MAGIC "\1" TAG), true, 1, 19},
    {BYTES(MAGIC "\2" TAG LAST_SLOT "value"), true, 2, 29},
    {BYTES(MAGIC), false, 0, 0},
    {BYTES(MAGIC "\1\x05\x00\x07\x00\x00\x00\x00\x00\x00"), false, 0, 0},
    {BYTES(MAGIC "\2" TAG "\x05"), false, 0, 0},
    {BYTES(MAGIC "\1" SLOT_TOO_LARGE "value"), false, 0, 0},
    {BYTES(MAGIC "\2" TAG SLOT_TOO_LARGE "value"), false, 0, 0},
};

START_TEST(what_stands_in_redis)
{
    struct mirror_value value;
    size_t length = stored[_i].length;
    char *copy = malloc(length); // so that a look behind its end is noticed
    memcpy(copy, stored[_i].bytes, length);
    ck_assert_int_eq(mirror_value_unwrap(copy, length, &value), stored[_i].is_sound);
    if (stored[_i].is_sound) {
        ck_assert_uint_eq(value.tag_count, stored[_i].tags);
        ck_assert_ptr_eq(value.bytes, copy + stored[_i].value_at);
        ck_assert_uint_eq(value.length, length - stored[_i].value_at);
    }
    if (value.tag_count > 0) {
        ck_assert_uint_eq(value.tags[0].slot, 5);
        ck_assert_uint_eq(value.tags[0].version, 7);
    }
    free(copy);
}
END_TEST

static void fill_tags(struct mirror_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        tags[i] = (struct mirror_tag){(uint16_t)(i * 61), UINT64_C(1700000000000000) * (i + 1)};
}

START_TEST(any_number_of_tags_comes_back)
{
    struct mirror_tag tags[SEGMENT_TAGS_MAX];
    struct mirror_value value;
    struct buf out = BUF_INIT;
    fill_tags(tags, SEGMENT_TAGS_MAX);
    for (size_t count = 0; count <= SEGMENT_TAGS_MAX; ++count) {
        buf_consume(&out, out.length);
        mirror_value_wrap(&out, tags, count, BYTES(MAGIC));
        buf_append(&out, MAGIC, 8);
        ck_assert(mirror_value_unwrap(out.data, out.length, &value));
        ck_assert_uint_eq(value.tag_count, count);
        ck_assert_uint_eq(value.length, 8);
        ck_assert_mem_eq(value.bytes, MAGIC, 8);
        for (size_t i = 0; i < count; ++i) {
            ck_assert_uint_eq(value.tags[i].slot, tags[i].slot);
            ck_assert_uint_eq(value.tags[i].version, tags[i].version);
        }
    }
    buf_free(&out);
}
END_TEST

START_TEST(more_tags_than_there_may_be_are_broken)
{
    struct mirror_value value;
    struct buf out = BUF_INIT;
    buf_append(&out, MAGIC, 8);
    buf_append(&out, &(char){SEGMENT_TAGS_MAX + 1}, 1);
    for (size_t i = 0; i <= SEGMENT_TAGS_MAX; ++i)
        buf_append(&out, TAG, 10);
    ck_assert(!mirror_value_unwrap(out.data, out.length, &value));
    out.data[8] = '\xff';
    ck_assert(!mirror_value_unwrap(out.data, out.length, &value));
    out.data[8] = SEGMENT_TAGS_MAX;
    ck_assert(mirror_value_unwrap(out.data, out.length, &value));
    ck_assert_uint_eq(value.length, 10);
    buf_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror_value");
    TCase *tests = tcase_create("mirror_value");
    tcase_add_test(tests, a_value_without_tags_is_itself);
    tcase_add_test(tests, one_that_looks_like_an_envelope_gets_one);
    tcase_add_test(tests, numbers_are_little_endian);
    tcase_add_loop_test(tests, what_stands_in_redis, 0, sizeof stored / sizeof *stored);
    tcase_add_test(tests, any_number_of_tags_comes_back);
    tcase_add_test(tests, more_tags_than_there_may_be_are_broken);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
