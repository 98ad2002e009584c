// Messages: their text, that what is written is read, and what is no message or broken in it.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mirror_message.h"

#define ID "00f1e2d3c4b5a697"
#define HEAD "gwctl1 " ID " 12 13\n"
#define LARGEST "18446744073709551615"
#define TOO_LARGE "18446744073709551616"

// Text with NULs in it, and its length.
#define BYTES(text) (text), sizeof(text) - 1

static struct mirror_head head;
static struct mirror_reader reader;
static char *copy; // of the message: its own memory, so that a look behind its end is noticed

static int read_message(const char *text, size_t length)
{
    free(copy);
    copy = malloc(length);
    memcpy(copy, text, length);
    return mirror_message_read(copy, length, &head, &reader);
}

static void tear_down(void)
{
    free(copy);
    copy = NULL;
}

// --- heads --------------------------------------------------------------------------------------

static const struct {
    const char *text;
    uint64_t id, previous, epoch;
} heads[] = {
    {HEAD, UINT64_C(0x00f1e2d3c4b5a697), 12, 13},
    {"gwctl1 0000000000000000 0 0\n", 0, 0, 0},
    {"gwctl1 ffffffffffffffff " LARGEST " " LARGEST "\n", UINT64_MAX, UINT64_MAX, UINT64_MAX},
    {"gwctl1 0123456789abcdef 1 1\n", UINT64_C(0x0123456789abcdef), 1, 1},
};

START_TEST(heads_are_read)
{
    struct mirror_item item;
    ck_assert_int_eq(read_message(heads[_i].text, strlen(heads[_i].text)), 0);
    ck_assert_uint_eq(head.id, heads[_i].id);
    ck_assert_uint_eq(head.previous, heads[_i].previous);
    ck_assert_uint_eq(head.epoch, heads[_i].epoch);
    ck_assert_int_eq(mirror_message_next(&reader, &item), 0);
    ck_assert_int_eq(mirror_message_next(&reader, &item), 0); // and stays there
}
END_TEST

START_TEST(heads_are_written)
{
    struct mirror_head written = {heads[_i].id, heads[_i].previous, heads[_i].epoch};
    struct buf out = BUF_INIT;
    mirror_message_begin(&out, &written);
    ck_assert_str_eq(buf_text(&out), heads[_i].text);
    buf_free(&out);
}
END_TEST

static const char *const no_heads[] = {
    "",
    "gwctl1",
    "gwctl1 ",
    "gwctl2 " ID " 12 13\n",
    "GWCTL1 " ID " 12 13\n",
    " gwctl1 " ID " 12 13\n",
    "gwctl1 " ID,
    "gwctl1 " ID " ",
    "gwctl1 " ID " 12",
    "gwctl1 " ID " 12 13",
    "gwctl1 " ID " 12 13 \n",
    "gwctl1 " ID " 12  13\n",
    "gwctl1 " ID "  12 13\n",
    "gwctl1 " ID "x12 13\n",
    "gwctl1 " ID "\n12 13\n",
    "gwctl1 " ID " 12\n",
    "gwctl1 " ID " 12 \n",
    "gwctl1 " ID " -12 13\n",
    "gwctl1 " ID " +12 13\n",
    "gwctl1 " ID " 0x12 13\n",
    "gwctl1 " ID " 12 13\r\n",
    "gwctl1 " ID " " TOO_LARGE " 13\n",
    "gwctl1 " ID " 12 " TOO_LARGE "\n",
    "gwctl1 " ID " 12 184467440737095516150\n",
    "gwctl1 00f1e2d3c4b5a69 12 13\n",
    "gwctl1 00f1e2d3c4b5a6977 12 13\n",
    "gwctl1 00F1E2D3C4B5A697 12 13\n",
    "gwctl1 00f1e2d3c4b5a69g 12 13\n",
    "gwctl1 0x00f1e2d3c4b5a6 12 13\n",
};

START_TEST(what_is_no_message_is_refused)
{
    ck_assert_int_eq(read_message(no_heads[_i], strlen(no_heads[_i])), -1);
}
END_TEST

START_TEST(a_nul_is_no_digit)
{
    ck_assert_int_eq(read_message(BYTES("gwctl1 00f1e2d3c4b5a69\0 12 13\n")), -1);
    ck_assert_int_eq(read_message(BYTES("gwctl1 " ID " 12\0 13\n")), -1);
    ck_assert_int_eq(read_message(BYTES("gwctl1 " ID " 12 13\0")), -1);
}
END_TEST

// --- items --------------------------------------------------------------------------------------

static void expect_item(enum mirror_item_kind kind, const char *bytes, size_t length)
{
    struct mirror_item item;
    ck_assert_int_eq(mirror_message_next(&reader, &item), 1);
    ck_assert_int_eq(item.kind, kind);
    ck_assert_uint_eq(item.length, length);
    ck_assert_mem_eq(item.bytes, bytes, length);
}

static void expect_tag(uint16_t slot, uint64_t version)
{
    struct mirror_item item;
    ck_assert_int_eq(mirror_message_next(&reader, &item), 1);
    ck_assert_int_eq(item.kind, ITEM_TAG);
    ck_assert_uint_eq(item.tag.slot, slot);
    ck_assert_uint_eq(item.tag.version, version);
}

static void expect_result(int result)
{
    struct mirror_item item;
    ck_assert_int_eq(mirror_message_next(&reader, &item), result);
}

START_TEST(items_are_read_as_they_were_written)
{
    static const struct mirror_tag last = {SEGMENT_TAG_SLOTS_MIN - 1, UINT64_MAX}, first = {0, 0};
    struct buf out = BUF_INIT;
    mirror_message_begin(&out, &(struct mirror_head){1, 2, 3});
    mirror_message_add_tag(&out, &last);
    mirror_message_add(&out, ITEM_KEY, BYTES("user:1"));
    mirror_message_add(&out, ITEM_KEY, BYTES("a\0b\n5:k"));
    mirror_message_add(&out, ITEM_KEY, BYTES(""));
    mirror_message_add(&out, ITEM_PATTERN, BYTES("user:[0-9]*"));
    mirror_message_add_tag(&out, &first);
    mirror_message_add(&out, ITEM_EVERYTHING, BYTES(""));

    ck_assert_int_eq(read_message(out.data, out.length), 0);
    expect_tag(SEGMENT_TAG_SLOTS_MIN - 1, UINT64_MAX);
    expect_item(ITEM_KEY, BYTES("user:1"));
    expect_item(ITEM_KEY, BYTES("a\0b\n5:k"));
    expect_item(ITEM_KEY, BYTES(""));
    expect_item(ITEM_PATTERN, BYTES("user:[0-9]*"));
    expect_tag(0, 0);
    expect_item(ITEM_EVERYTHING, BYTES(""));
    expect_result(0);
    buf_free(&out);
}
END_TEST

// What machines of another build read, so it is not to change.
START_TEST(the_text_of_items)
{
    struct buf out = BUF_INIT;
    mirror_message_add(&out, ITEM_KEY, BYTES("user:1"));
    mirror_message_add(&out, ITEM_PATTERN, BYTES("*:x"));
    mirror_message_add_tag(&out, &(struct mirror_tag){4095, 17});
    mirror_message_add(&out, ITEM_EVERYTHING, BYTES(""));
    ck_assert_str_eq(buf_text(&out), "k6:user:1p3:*:xt8:4095 17\nf0:");
    buf_free(&out);
}
END_TEST

// The first item is read, the second is broken.
static const struct {
    const char *text;
    size_t length;
} broken[] = {
    {BYTES("k")},
    {BYTES("k1")},
    {BYTES("k1:")},
    {BYTES("k3:ab")},
    {BYTES("k:ab")},
    {BYTES("k-1:ab")},
    {BYTES("k 2:ab")},
    {BYTES("k2 :ab")},
    {BYTES("k2;ab")},
    {BYTES("k" LARGEST ":ab")},
    {BYTES("k" TOO_LARGE ":ab")},
    {BYTES("x2:ab")},
    {BYTES("K2:ab")},
    {BYTES("\n")},
    {BYTES("\0002:ab")},
    {BYTES("t0:")},
    {BYTES("t1:1")},
    {BYTES("t3:1 1")},
    {BYTES("t3:1 1\n")}, // the length ends before the line
    {BYTES("t7:4096 1\n")},
    {BYTES("t8:65536 1\n")},
    {BYTES("t5:1 1\n\n")},
    {BYTES("t5:1 1\nx")},
    {BYTES("t4: 1 \n")},
    {BYTES("t4:1  \n")},
    {BYTES("t5:-1 1\n")},
    {BYTES("t3:1 \n")},
    {BYTES("t23:1 " TOO_LARGE "\n")},
};

START_TEST(broken_items_end_it)
{
    struct buf text = BUF_INIT;
    buf_append_text(&text, HEAD "k2:ok");
    buf_append(&text, broken[_i].text, broken[_i].length);
    ck_assert_int_eq(read_message(text.data, text.length), 0);
    expect_item(ITEM_KEY, BYTES("ok"));
    expect_result(-1);
    buf_free(&text);
}
END_TEST

START_TEST(the_largest_tag_is_read)
{
    ck_assert_int_eq(read_message(BYTES(HEAD "t26:4095 " LARGEST "\n")), 0);
    expect_tag(4095, UINT64_MAX);
    expect_result(0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror_message");
    TCase *tests = tcase_create("mirror_message");
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_loop_test(tests, heads_are_read, 0, sizeof heads / sizeof *heads);
    tcase_add_loop_test(tests, heads_are_written, 0, sizeof heads / sizeof *heads);
    tcase_add_loop_test(tests, what_is_no_message_is_refused, 0,
                        sizeof no_heads / sizeof *no_heads);
    tcase_add_test(tests, a_nul_is_no_digit);
    tcase_add_test(tests, items_are_read_as_they_were_written);
    tcase_add_test(tests, the_text_of_items);
    tcase_add_loop_test(tests, broken_items_end_it, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tests, the_largest_tag_is_read);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
