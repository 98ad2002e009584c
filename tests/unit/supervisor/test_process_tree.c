// Which tree a process belongs to: a table of situations, and once what really runs.

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process_tree.h"

enum { INIT = 1, KEEPER = 10, SELF = 11, APP = 20, OTHER_APP = 30, NONE = PROCESS_TREE_NONE };
enum { KEEPERS_START = 100, APPS_START = 200 };

static uint64_t spawns[100]; // by pid
static unsigned asked;

static uint64_t spawn_of(pid_t pid)
{
    asked++;
    return spawns[pid];
}

static struct procinfo process(pid_t pid, pid_t parent, pid_t session, uint64_t start)
{
    return (struct procinfo){
        .pid = pid, .parent = parent, .session = session, .state = 'S', .start_ticks = start};
}

static const struct process_tree trees[] = {
    {.leader = {APP, APPS_START}, .spawn_id = 0xa},
    {.leader = {OTHER_APP, APPS_START}, .spawn_id = 0xb},
    {.leader = {0, 0}, .spawn_id = 0},
};

// The tree of the last process of the list, among those that always run.
static int owner_of_last(const struct procinfo *more, size_t count)
{
    struct procinfo list[16] = {
        process(INIT, 0, 1, 0),
        process(KEEPER, INIT, KEEPER, KEEPERS_START),
        process(SELF, KEEPER, KEEPER, KEEPERS_START),
    };
    int owners[16];
    size_t n = 3;
    pid_t last = more[count - 1].pid;
    for (size_t i = 0; i < count; i++)
        list[n++] = more[i];
    process_tree_assign(list, n, trees, 3, SELF, spawn_of, owners);
    for (size_t i = 0; i < n; i++) {
        if (list[i].pid == last)
            return owners[i];
        ck_assert_int_le(list[i].pid, list[i + 1 < n ? i + 1 : i].pid);
    }
    return NONE;
}

static void setup(void)
{
    asked = 0;
    for (size_t i = 0; i < sizeof spawns / sizeof *spawns; i++)
        spawns[i] = 0;
}

START_TEST(a_leader_and_its_session)
{
    struct procinfo leader = process(APP, SELF, APP, APPS_START);
    struct procinfo member[] = {process(41, KEEPER, APP, 300)};
    ck_assert_int_eq(owner_of_last(&leader, 1), 0);
    ck_assert_int_eq(owner_of_last(member, 1), 0); // its leader has ended
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_descendant_in_a_session_of_its_own)
{
    struct procinfo list[] = {process(OTHER_APP, SELF, OTHER_APP, APPS_START),
                              process(43, OTHER_APP, 43, 300), process(41, 43, 41, 301)};
    ck_assert_int_eq(owner_of_last(list, 3), 1);
}
END_TEST

START_TEST(an_orphan_by_its_environment_and_its_children)
{
    struct procinfo list[] = {process(40, KEEPER, 40, 300), process(41, 40, 41, 301)};
    spawns[40] = 0xb;
    ck_assert_int_eq(owner_of_last(list, 1), 1);
    ck_assert_int_eq(owner_of_last(list, 2), 1);
    list[0].parent = INIT; // the keeper died
    ck_assert_int_eq(owner_of_last(list, 2), 1);
    list[0].parent = 77; // its parent has just ended
    ck_assert_int_eq(owner_of_last(list, 2), 1);
}
END_TEST

START_TEST(a_stranger_belongs_to_none)
{
    struct procinfo list[] = {process(40, INIT, 40, 300), process(41, 40, 40, 301)};
    struct procinfo child[] = {process(42, SELF, 42, 300)};
    ck_assert_int_eq(owner_of_last(list, 2), NONE);
    spawns[41] = 0xa; // it has a parent that is none of ours: somebody's copy of a variable
    ck_assert_int_eq(owner_of_last(list, 2), NONE);
    spawns[42] = 0xa; // our own children are leaders and probes
    ck_assert_int_eq(owner_of_last(child, 1), NONE);
}
END_TEST

START_TEST(what_is_older_than_any_leader_is_not_asked)
{
    struct procinfo list[] = {process(40, INIT, 40, APPS_START - 1)};
    spawns[40] = 0xa;
    ck_assert_int_eq(owner_of_last(list, 1), NONE);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_pid_used_again_is_a_stranger_with_all_its_session)
{
    struct procinfo list[] = {process(APP, INIT, APP, 500), process(41, APP, APP, 501)};
    ck_assert_int_eq(owner_of_last(list, 1), NONE);
    ck_assert_int_eq(owner_of_last(list, 2), NONE);
}
END_TEST

START_TEST(we_and_those_above_us_belong_to_none)
{
    struct procinfo list[] = {process(APP, INIT, APP, APPS_START), process(15, APP, 15, 300),
                              process(16, 15, 15, 301)};
    int owners[3];
    process_tree_assign(list, 3, trees, 3, 16, spawn_of, owners); // started by an app
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(owners[i], NONE);
}
END_TEST

START_TEST(parents_in_a_circle_end)
{
    // A walk through /proc is no snapshot: pids may be used again while it goes.
    struct procinfo list[] = {process(40, 41, 40, 300), process(41, 40, 41, 300)};
    ck_assert_int_eq(owner_of_last(list, 2), NONE);
}
END_TEST

START_TEST(measures_and_kills_what_really_runs)
{
    int ready[2];
    char byte;
    struct procinfo info;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t leader = fork();
    if (leader == 0) {
        setsid();
        if (fork() == 0)
            setsid();
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(procinfo_read(leader, &info), 0);
    struct process_tree real[] = {{.leader = {leader, info.start_ticks}}, {.processes = 7}};
    process_tree_measure(real, 2);
    ck_assert_uint_eq(real[0].processes, 2);
    ck_assert_uint_gt(real[0].rss_bytes, info.rss_bytes);
    ck_assert_uint_eq(real[1].processes, 0);
    struct process_identity *members, recycled = {leader, info.start_ticks + 1};
    ck_assert_uint_eq(process_tree_find(&real[0], &members), 2);
    ck_assert(!process_tree_kill_member(&recycled));
    process_tree_kill(&real[0]);
    waitpid(leader, NULL, 0);
    ck_assert(!process_tree_kill_member(&members[0]) || !process_tree_kill_member(&members[1]));
    free(members);
    close(ready[0]);
    close(ready[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process_tree");
    TCase *cases = tcase_create("process_tree");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, a_leader_and_its_session);
    tcase_add_test(cases, a_descendant_in_a_session_of_its_own);
    tcase_add_test(cases, an_orphan_by_its_environment_and_its_children);
    tcase_add_test(cases, a_stranger_belongs_to_none);
    tcase_add_test(cases, what_is_older_than_any_leader_is_not_asked);
    tcase_add_test(cases, a_pid_used_again_is_a_stranger_with_all_its_session);
    tcase_add_test(cases, we_and_those_above_us_belong_to_none);
    tcase_add_test(cases, parents_in_a_circle_end);
    tcase_add_test(cases, measures_and_kills_what_really_runs);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
