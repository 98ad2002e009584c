// Names that hide values; passwords in URLs.
#include <check.h>
#include <stdlib.h>

#include "common/secret.h"

START_TEST(names)
{
    static const struct {
        const char *name;
        bool secret;
    } cases[] = {
        {"DB_PASSWORD", true}, {"passphrase", true},  {"ClientSecret", true}, {"API_TOKEN", true},
        {"api_key", true},     {"CREDENTIALS", true}, {"KEYBOARD", true},     {"PORT", false},
        {"", false},           {"PAS", false},        {"NODE_ENV", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(secret_name_matches(cases[i].name) == cases[i].secret, "%s", cases[i].name);
}
END_TEST

START_TEST(urls)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"redis://user:pw@host:6379/0", "redis://user:***@host:6379/0"},
        {"redis://:pw@host", "redis://:***@host"},
        {"redis://user:p@w:x@host", "redis://user:***@host"}, // an '@' that nobody escaped
        {"http://user@host/", "http://user@host/"},
        {"http://host:80/a:b@c", "http://host:80/a:b@c"}, // behind the authority
        {"http://host:80?q=a:b@c", "http://host:80?q=a:b@c"},
        {"no url: a@b", "no url: a@b"},
        {"", ""},
        {"x://", "x://"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *masked = secret_mask_url(cases[i].from);
        ck_assert_str_eq(masked, cases[i].to);
        free(masked);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secret");
    TCase *tests = tcase_create("secret");
    tcase_add_test(tests, names);
    tcase_add_test(tests, urls);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
