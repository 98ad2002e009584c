// What the supervisor may ask for, and everything near it that is malformed.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto.h"
#include "packet.h"

#define STORE "FDSTORE=1\nFDNAME="
#define REMOVE "FDSTOREREMOVE=1\nFDNAME="
#define TEXT(text) text, sizeof(text) - 1

static const struct row {
    const char *text;
    size_t length;
    enum packet_kind kind;
    const char *name;
} rows[] = {
    {TEXT(STORE "a"), PACKET_STORE, "a"},
    {TEXT(STORE "listen.0-api#1=~!"), PACKET_STORE, "listen.0-api#1=~!"},
    {TEXT(REMOVE "a"), PACKET_REMOVE, "a"},
    {TEXT(STORE "a\n"), PACKET_STORE, "a"},
    {TEXT(REMOVE "a\n"), PACKET_REMOVE, "a"},
    {TEXT("UPDATE=1"), PACKET_UPDATE, ""},
    {TEXT("UPDATE=1\n"), PACKET_UPDATE, ""},
    {TEXT("UPDATE=0"), PACKET_MALFORMED, NULL},
    {TEXT("UPDATE=1\nFDNAME=a"), PACKET_MALFORMED, NULL},
    {TEXT(""), PACKET_MALFORMED, NULL},
    {TEXT("\n"), PACKET_MALFORMED, NULL},
    {TEXT(STORE), PACKET_MALFORMED, NULL},
    {TEXT(REMOVE "\n"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a\n\n"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a b"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a:b"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a\x7f"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "\xc3\xa4"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a\0"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a\0b"), PACKET_MALFORMED, NULL},
    {TEXT("\0" STORE "a"), PACKET_MALFORMED, NULL},
    {TEXT(STORE "a\nFDNAME=b"), PACKET_MALFORMED, NULL},
    {TEXT("FDNAME=a\nFDSTORE=1"), PACKET_MALFORMED, NULL},
    {TEXT("FDSTORE=1"), PACKET_MALFORMED, NULL},
    {TEXT("FDSTORE=0\nFDNAME=a"), PACKET_MALFORMED, NULL},
    {TEXT("fdstore=1\nFDNAME=a"), PACKET_MALFORMED, NULL},
    {TEXT("\n" STORE "a"), PACKET_MALFORMED, NULL},
    {TEXT("FDSTORE=1\r\nFDNAME=a"), PACKET_MALFORMED, NULL},
    {TEXT("EXIT 1 0"), PACKET_MALFORMED, NULL},
};

// In exactly the memory that the contract asks for.
static char *copy(const char *text, size_t length)
{
    char *packet = malloc(length + 1);
    ck_assert_ptr_nonnull(packet);
    memcpy(packet, text, length);
    packet[length] = 'x';
    return packet;
}

START_TEST(packets)
{
    const struct row *row = &rows[_i];
    char *name = NULL, *packet = copy(row->text, row->length);
    ck_assert_int_eq(packet_parse(packet, row->length, &name), row->kind);
    if (row->name)
        ck_assert_str_eq(name, row->name);
    free(packet);
}
END_TEST

START_TEST(the_longest_name)
{
    char text[sizeof STORE + KEEPER_NAME_MAX + 1] = STORE;
    char *name, *packet;
    size_t length = strlen(STORE) + KEEPER_NAME_MAX;
    memset(text + strlen(STORE), 'x', KEEPER_NAME_MAX + 1);
    packet = copy(text, length);
    ck_assert_int_eq(packet_parse(packet, length, &name), PACKET_STORE);
    ck_assert_uint_eq(strlen(name), KEEPER_NAME_MAX);
    free(packet);
    packet = copy(text, length + 1);
    ck_assert_int_eq(packet_parse(packet, length + 1, &name), PACKET_MALFORMED);
    free(packet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("packet");
    TCase *tests = tcase_create("packet");
    tcase_add_loop_test(tests, packets, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, the_longest_name);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
