// Forms of a file, absolute paths, the resolved document, files on disk.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ecosystem_file.h"
#include "common/mem.h"

static const char *look_up(const char *name, void *context)
{
    (void)context;
    return strcmp(name, "NAME") == 0 ? "api" : NULL;
}

static struct ecosystem *load(const char *text, size_t *findings)
{
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *ecosystem = ecosystem_load(text, strlen(text), "/srv", look_up, NULL, errors);
    *findings = config_errors_count(errors);
    config_errors_free(errors);
    return ecosystem;
}

static const char *const forms[] = {"{\"name\":\"${NAME}\",\"script\":\"./x/s.js\"}",
                                    "[{\"name\":\"${NAME}\",\"script\":\"./x/s.js\"},]",
                                    "{\"apps\":[{\"name\":\"${NAME}\",\"script\":\"./x/s.js\"}]}"};

START_TEST(all_forms_are_one_document)
{
    size_t findings;
    struct ecosystem *ecosystem = load(forms[_i], &findings);
    ck_assert_ptr_nonnull(ecosystem);
    ck_assert_uint_eq(ecosystem->app_count, 1);
    ck_assert_ptr_null(ecosystem->gateway);
    ck_assert_str_eq(ecosystem->apps[0].script, "/srv/x/s.js");
    ck_assert_str_eq(
        json_object_to_json_string_ext(ecosystem->document,
                                       JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
        "{\"apps\":[{\"name\":\"api\",\"script\":\"/srv/x/s.js\",\"cwd\":\"/srv\"}]}");
    ecosystem_free(ecosystem);
}
END_TEST

START_TEST(paths_are_absolute)
{
    size_t findings;
    struct ecosystem *ecosystem =
        load("{\"name\":\"a\",\"exec\":\"not-in-the-folder\",\"cwd\":\"sub\",\"out_file\":\"o\","
             "\"error_file\":\"/e\"}",
             &findings);
    ck_assert_ptr_nonnull(ecosystem);
    ck_assert_str_eq(ecosystem->apps[0].script, "not-in-the-folder");
    ck_assert_str_eq(ecosystem->apps[0].cwd, "/srv/sub");
    ck_assert_str_eq(ecosystem->apps[0].out_file, "/srv/o");
    ck_assert_str_eq(ecosystem->apps[0].error_file, "/e");
    ecosystem_free(ecosystem);
}
END_TEST

START_TEST(document_reads_back)
{
    size_t findings;
    struct ecosystem *first =
        load("{\"gateway\":{\"listen\":[{\"address\":\"*:80\"}],\"upstreams\":{\"u\":{\"servers\":"
             "[\"unix:/a\"]}},\"routes\":[{\"path\":\"/$${X}\",\"upstream\":\"u\"}]}}",
             &findings);
    ck_assert_ptr_nonnull(first);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *second = ecosystem_from_document(first->document, errors);
    ecosystem_free(first);
    ck_assert_ptr_nonnull(second);
    const struct route_config *route = second->gateway->routes.items;
    ck_assert_str_eq(route->path, "/${X}");
    ck_assert_str_eq(second->gateway->process.cwd, "/srv");
    ck_assert_ptr_nonnull(json_get_array(second->document, "apps"));
    ecosystem_free(second);
    config_errors_free(errors);
}
END_TEST

START_TEST(a_bad_file_is_nothing)
{
    size_t findings;
    ck_assert_ptr_null(load("{\"apps\":[{\"name\":\"a\"},{\"scrpt\":1}]}", &findings));
    ck_assert_uint_eq(findings, 4);
}
END_TEST

START_TEST(files)
{
    char folder[] = "/tmp/ecosystem-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *path = mem_printf("%s/f.json", folder), *script = mem_printf("%s/f.json", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("{\"name\":\"a\",\"script\":\"f.json\"}", file); // the script that exists is itself
    fclose(file);
    struct config_errors *errors = config_errors_new(path);
    struct ecosystem *ecosystem = ecosystem_load_file(path, look_up, NULL, errors);
    ck_assert_ptr_nonnull(ecosystem);
    ck_assert_str_eq(ecosystem->apps[0].script, script);
    ck_assert_str_eq(ecosystem->apps[0].cwd, folder);
    ecosystem_free(ecosystem);
    unlink(path);
    ck_assert_ptr_null(ecosystem_load_file(path, look_up, NULL, errors));
    ck_assert_uint_eq(config_errors_count(errors), 1);
    rmdir(folder);
    config_errors_free(errors);
    free(path);
    free(script);
}
END_TEST

// A folder with the files both/s, cwd/both/s, cwd/only.js and the folder cwd/only; -> the script.
static const struct script_row {
    const char *script, *expected; // expected is in the folder when it has a "/"
} scripts[] = {{"both/s", "both/s"},
               {"./both/s", "both/s"},
               {"only.js", "cwd/only.js"},
               {"./only.js", "cwd/only.js"},
               {"cwd", NULL},
               {"only", NULL},
               {"sleep", NULL},
               {"no/file", "no/file"}};

static char *make(const char *folder, const char *name, bool is_file)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *file = is_file ? fopen(path, "w") : NULL;
    ck_assert(is_file ? file != NULL : mkdir(path, 0700) == 0);
    if (file)
        fclose(file);
    return path;
}

START_TEST(scripts_of_folder_and_cwd)
{
    const struct script_row *row = &scripts[_i];
    char folder[] = "/tmp/ecosystem-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *made[] = {make(folder, "both", false),      make(folder, "both/s", true),
                    make(folder, "cwd", false),       make(folder, "cwd/both", false),
                    make(folder, "cwd/both/s", true), make(folder, "cwd/only.js", true),
                    make(folder, "cwd/only", false)};
    char *text = mem_printf("{\"name\":\"a\",\"cwd\":\"cwd\",\"script\":\"%s\"}", row->script);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *ecosystem = ecosystem_load(text, strlen(text), folder, look_up, NULL, errors);
    ck_assert_ptr_nonnull(ecosystem);
    char *expected = row->expected ? mem_printf("%s/%s", folder, row->expected)
                                   : mem_strdup(row->script); // a command
    ck_assert_str_eq(ecosystem->apps[0].script, expected);
    ecosystem_free(ecosystem);
    config_errors_free(errors);
    for (size_t i = sizeof made / sizeof made[0]; i-- > 0;) {
        remove(made[i]);
        free(made[i]);
    }
    rmdir(folder);
    free(expected);
    free(text);
}
END_TEST

#define GATEWAY                                                                                    \
    "\"gateway\":{\"listen\":[{\"address\":\"*:80\"}],\"upstreams\":{\"u\":{\"servers\":[\"unix:/" \
    "a\"]}},"                                                                                      \
    "\"routes\":[{\"path\":\"/*\",\"upstream\":\"u\"}]}"
#define APPS "\"apps\":[{\"name\":\"a\",\"script\":\"/s\"}]"

static const struct sidecar_row {
    const char *text;
    bool cachesvc, metricsd;
} sidecars[] = {
    {"{" APPS "}", false, false},
    {"{" APPS ",\"cachesvc\":{}}", true, false},
    {"{" APPS ",\"metricsd\":{}}", false, true},
    {"{\"metricsd\":{}}", false, true},
    {"{" APPS ",\"metricsd\":false}", false, false},
    {"{" GATEWAY "}", true, true},
    {"{" GATEWAY ",\"metricsd\":{}}", true, true},
    {"{" GATEWAY ",\"cachesvc\":false}", false, true},
    {"{" GATEWAY ",\"metricsd\":false}", true, false},
    {"{" GATEWAY ",\"cachesvc\":false,\"metricsd\":false}", false, false},
};

// As the file names them or leaves them out; from a resolved document no others come.
START_TEST(sidecars_of_a_file)
{
    const struct sidecar_row *row = &sidecars[_i];
    size_t findings;
    struct ecosystem *file = load(row->text, &findings);
    ck_assert_ptr_nonnull(file);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *document = ecosystem_from_document(file->document, errors);
    ck_assert_ptr_nonnull(document);
    ck_assert_int_eq(file->cachesvc != NULL, row->cachesvc);
    ck_assert_int_eq(file->metricsd != NULL, row->metricsd);
    ck_assert_int_eq(document->cachesvc != NULL, row->cachesvc);
    ck_assert_int_eq(document->metricsd != NULL, row->metricsd);
    if (row->metricsd) {
        ck_assert_str_eq(file->metricsd->process.cwd, "/srv");
        ck_assert_int_eq(file->metricsd->process.max_restarts, -1);
        ck_assert(file->metricsd->process.wait_ready);
    }
    ecosystem_free(file);
    ecosystem_free(document);
    config_errors_free(errors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ecosystem");
    TCase *tests = tcase_create("ecosystem");
    tcase_add_loop_test(tests, all_forms_are_one_document, 0,
                        (int)(sizeof(forms) / sizeof(forms[0])));
    tcase_add_test(tests, paths_are_absolute);
    tcase_add_test(tests, document_reads_back);
    tcase_add_test(tests, a_bad_file_is_nothing);
    tcase_add_test(tests, files);
    tcase_add_loop_test(tests, scripts_of_folder_and_cwd, 0,
                        (int)(sizeof(scripts) / sizeof(scripts[0])));
    tcase_add_loop_test(tests, sidecars_of_a_file, 0,
                        (int)(sizeof(sidecars) / sizeof(sidecars[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
