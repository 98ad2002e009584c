// Files and scripts to documents; the names in them.

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "source.h"

static char folder[] = "/tmp/gwctl-test-XXXXXX"; // the working directory
static int findings = -1;                        // what is written to stderr

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    findings = open("stderr", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(dup2(findings, STDERR_FILENO), 0);
}

static void tear_down(void)
{
    close(findings);
    unlink("stderr");
    unlink("f.json");
    unlink("s.sh");
    ck_assert_int_eq(rmdir(folder), 0);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_findings(void)
{
    static char text[4096];
    ssize_t length = pread(findings, text, sizeof text - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    return text;
}

// Takes document. "@" in expected is the working directory.
static void check_document(struct json_object *document, const char *expected)
{
    char here[PATH_MAX];
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
                                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
    char *shortened = mem_strdup(text), *at;

    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    while ((at = strstr(shortened, here))) {
        *at = '@';
        memmove(at + 1, at + strlen(here), strlen(at + strlen(here)) + 1);
    }
    ck_assert_str_eq(shortened, expected);
    free(shortened);
    json_object_put(document);
}

START_TEST(words_that_are_files)
{
    static const char *const files[] = {"-", "f.json", "./a.jsonc", "/x/a.json", "x/.json"};
    static const char *const others[] = {"",    "--",   "json",   "a.json5", "a.json/",
                                         "api", "a.js", "a.json", ".json"};
    write_file("f.json", "");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        ck_assert_msg(source_is_file(files[i]), "%s", files[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!source_is_file(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(a_file_in_this_environment)
{
    setenv("NAME_HERE", "api", 1);
    write_file("f.json", "{\"name\":\"${NAME_HERE}\",\"script\":\"./s.sh\"} // c");
    check_document(source_load_file("f.json"),
                   "{\"apps\":[{\"name\":\"api\",\"script\":\"@/s.sh\",\"cwd\":\"@\"}]}");
    ck_assert_str_eq(read_findings(), "");
}
END_TEST

START_TEST(every_finding_of_a_file_is_printed)
{
    write_file("f.json", "{\"name\":\"a\",\"script\":5,\n\"instnaces\":1}");
    ck_assert_ptr_null(source_load_file("f.json"));
    ck_assert_str_eq(read_findings(),
                     "f.json:1:22: apps[0].script: 5 is not a string\n"
                     "f.json:2:1: apps[0].instnaces: unknown key; did you mean \"instances\"?\n");
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
    ck_assert_ptr_null(source_load_file("f.json"));
    ck_assert_str_eq(read_findings(), "f.json: cannot be opened: No such file or directory\n");
}
END_TEST

enum { WORDS = 12 };

static const struct script_row {
    const char *words[WORDS];
    const char *expected; // NULL: refused
} scripts[] = {
    {{"server.py"}, "{\"apps\":[{\"name\":\"server\",\"script\":\"server.py\",\"cwd\":\"@\"}]}"},
    {{"s.sh"}, "{\"apps\":[{\"name\":\"s\",\"script\":\"@/s.sh\",\"cwd\":\"@\"}]}"},
    {{"./no.sh"}, "{\"apps\":[{\"name\":\"no\",\"script\":\"@/no.sh\",\"cwd\":\"@\"}]}"},
    {{"/opt/a.b.c"}, "{\"apps\":[{\"name\":\"a.b\",\"script\":\"/opt/a.b.c\",\"cwd\":\"@\"}]}"},
    {{"/a.d/run"}, "{\"apps\":[{\"name\":\"run\",\"script\":\"/a.d/run\",\"cwd\":\"@\"}]}"},
    {{"/opt/.run"}, NULL},
    {{"/opt/a$$b", "--name", "d", "--cwd=/${X}", "--", "$$", "${HOME}"},
     "{\"apps\":[{\"name\":\"d\",\"script\":\"/opt/a$$b\",\"cwd\":\"/${X}\","
     "\"args\":[\"$$\",\"${HOME}\"]}]}"},
    {{"s.sh", "--name", "api", "-i", "max", "--interpreter=none", "--port", "auto", "--cwd", "/tmp",
      "--wait-ready"},
     "{\"apps\":[{\"name\":\"api\",\"script\":\"@/s.sh\",\"instances\":\"max\","
     "\"interpreter\":\"none\",\"port\":\"auto\",\"cwd\":\"/tmp\",\"wait_ready\":true}]}"},
    {{"s.sh", "--cwd", "sub", "--", "-v", "a b", ""},
     "{\"apps\":[{\"name\":\"s\",\"script\":\"@/s.sh\",\"cwd\":\"@/sub\","
     "\"args\":[\"-v\",\"a b\",\"\"]}]}"},
    {{"s.sh", "--"}, "{\"apps\":[{\"name\":\"s\",\"script\":\"@/s.sh\",\"cwd\":\"@\"}]}"},
    {{"s.sh", "-i", "many"}, NULL},
    {{"s.sh", "--name", "all"}, NULL},
};

START_TEST(a_script_and_its_options)
{
    const struct command *command = command_find(NULL, "start");
    char *words[WORDS];
    int count = 0;
    struct options options;
    struct err err;

    write_file("s.sh", "");
    while (count < WORDS && scripts[_i].words[count]) {
        words[count] = (char *)scripts[_i].words[count];
        count++;
    }
    ck_assert_int_eq(options_parse(command->options, count, words, &options, &err), 0);
    struct json_object *document = source_from_script(command, &options);
    options_free(&options);
    if (scripts[_i].expected)
        check_document(document, scripts[_i].expected);
    else
        ck_assert_ptr_null(document);
}
END_TEST

START_TEST(a_refused_option_is_printed)
{
    const struct command *command = command_find(NULL, "start");
    char script[] = "s.sh", port[] = "--port=0", *words[] = {script, port};
    struct options options;
    struct err err;
    ck_assert_int_eq(options_parse(command->options, 2, words, &options, &err), 0);
    ck_assert_ptr_null(source_from_script(command, &options));
    options_free(&options);
    ck_assert_ptr_nonnull(
        strstr(read_findings(), ": apps[0].port: \"0\" is not a port (1 to 65535, or \"auto\")\n"));
}
END_TEST

START_TEST(names_of_a_document)
{
    static const struct {
        const char *document, *names;
    } cases[] = {
        {"{}", "[]"},
        {"{\"apps\":[]}", "[]"},
        {"{\"apps\":[{\"name\":\"b\"},{\"name\":\"a\"}]}", "[\"b\",\"a\"]"},
        {"{\"gateway\":{}}", "[\"gateway\"]"},
        {"{\"gateway\":{},\"apps\":[{\"name\":\"a\"}]}", "[\"a\",\"gateway\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_object *document = json_tokener_parse(cases[i].document);
        check_document(source_names(document), cases[i].names);
        json_object_put(document);
    }
}
END_TEST

START_TEST(names_for_messages)
{
    write_file("f.json", "");
    char *here = realpath("f.json", NULL);
    const struct {
        const char *path, *full;
    } cases[] = {{"-", "standard input"},
                 {"nothing.json", "nothing.json"},
                 {"f.json", here},
                 {"./f.json", here}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *full = source_full_path(cases[i].path);
        ck_assert_str_eq(full, cases[i].full);
        free(full);
    }
    free(here);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *tests = tcase_create("source");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, words_that_are_files);
    tcase_add_test(tests, a_file_in_this_environment);
    tcase_add_test(tests, every_finding_of_a_file_is_printed);
    tcase_add_test(tests, a_file_that_is_not_there);
    tcase_add_loop_test(tests, a_script_and_its_options, 0,
                        (int)(sizeof(scripts) / sizeof(scripts[0])));
    tcase_add_test(tests, a_refused_option_is_printed);
    tcase_add_test(tests, names_of_a_document);
    tcase_add_test(tests, names_for_messages);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
