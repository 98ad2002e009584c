// Which Authorization fields hold the token.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "monitoring_token.h"

// Of "abc", as FIPS 180-2 has it.
#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const struct token_row {
    const char *hash, *first, *second; // fields; NULL: not there
    bool fits;
} rows[] = {
    {HASH, "Bearer abc", NULL, true},
    {HASH, "bEARER   abc", NULL, true},
    {"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "Bearer abc", NULL, true},
    {HASH, NULL, NULL, false},
    {HASH, "", NULL, false},
    {HASH, "abc", NULL, false},
    {HASH, "Bearer", NULL, false},
    {HASH, "Bearer ", NULL, false},
    {HASH, "Bearerabc", NULL, false},
    {HASH, "Bearerxabc", NULL, false},
    {HASH, "Basic abc", NULL, false},
    {HASH, "Bearer ab", NULL, false},
    {HASH, "Bearer abcd", NULL, false},
    {HASH, "Bearer ABC", NULL, false},
    {HASH, "Bearer " HASH, NULL, false},
    {HASH, "Bearer abc", "Bearer abc", false},
    {HASH, "Basic eDp5", "Bearer abc", false},
    {"", "Bearer abc", NULL, false},
    {"ba7816bf", "Bearer abc", NULL, false},
    {"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "Bearer abc", NULL, false},
};

START_TEST(tokens)
{
    const struct token_row *row = &rows[_i];
    struct field fields[3] = {{SPAN("Host"), SPAN("Bearer abc")}};
    size_t count = 1;
    if (row->first != NULL)
        fields[count++] = (struct field){SPAN("Authorization"), {row->first, strlen(row->first)}};
    if (row->second != NULL)
        fields[count++] = (struct field){SPAN("authorization"), {row->second, strlen(row->second)}};
    ck_assert_msg(monitoring_token_fits(row->hash, fields, count) == row->fits, "row %d", _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitoring_token");
    TCase *tests = tcase_create("monitoring_token");
    tcase_add_loop_test(tests, tokens, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
