// Every cell of the worker's table: what is written here is the contract, all else is ignored.

#include <check.h>
#include <stdlib.h>

#include "worker_fsm.h"

struct cell {
    enum worker_state state;
    enum worker_event event;
    enum worker_state next;
    enum worker_action action;
};

#define CELL(state, event, next, action)                                                           \
    {                                                                                              \
        WORKER_##state, WORKER_EV_##event, WORKER_##next, WORKER_ACT_##action                      \
    }

static const struct cell cells[] = {
    CELL(STOPPED, START, STARTING, SPAWN),
    CELL(STOPPED, REFUSED, ERRORED, DISARM),
    CELL(STARTING, NOT_STARTED, ERRORED, DISARM),
    CELL(STARTING, READY, ONLINE, ANNOUNCE),
    CELL(STARTING, NOT_READY, STOPPING, TERMINATE),
    CELL(STARTING, STOP, STOPPING, TERMINATE),
    CELL(STARTING, LEFT_STOP, STOPPED, DISARM),
    CELL(STARTING, LEFT_RETRY, WAITING, ARM_RETRY),
    CELL(STARTING, LEFT_AGAIN, STARTING, SPAWN),
    CELL(STARTING, LEFT_GIVE_UP, ERRORED, DISARM),
    CELL(ONLINE, DRAIN, DRAINING, NONE),
    CELL(ONLINE, STOP, STOPPING, TERMINATE),
    CELL(ONLINE, FAILED, STOPPING, TERMINATE),
    CELL(ONLINE, LEFT_STOP, STOPPED, DISARM),
    CELL(ONLINE, LEFT_RETRY, WAITING, ARM_RETRY),
    CELL(ONLINE, LEFT_AGAIN, STARTING, SPAWN),
    CELL(ONLINE, LEFT_GIVE_UP, ERRORED, DISARM),
    CELL(DRAINING, STOP, STOPPING, TERMINATE),
    CELL(DRAINING, LEFT_STOP, STOPPED, DISARM),
    CELL(DRAINING, LEFT_RETRY, STOPPED, DISARM),
    CELL(DRAINING, LEFT_AGAIN, STOPPED, DISARM),
    CELL(DRAINING, LEFT_GIVE_UP, STOPPED, DISARM),
    CELL(STOPPING, KILL_DUE, STAY, KILL),
    CELL(STOPPING, LEFT_STOP, STOPPED, DISARM),
    CELL(STOPPING, LEFT_RETRY, WAITING, ARM_RETRY),
    CELL(STOPPING, LEFT_AGAIN, STARTING, SPAWN),
    CELL(STOPPING, LEFT_GIVE_UP, ERRORED, DISARM),
    CELL(WAITING, START, STARTING, SPAWN),
    CELL(WAITING, REFUSED, ERRORED, DISARM),
    CELL(WAITING, RETRY_DUE, STARTING, SPAWN),
    CELL(WAITING, STOP, STOPPED, DISARM),
    CELL(ERRORED, START, STARTING, SPAWN),
    CELL(ERRORED, STOP, STOPPED, DISARM),
};

static const struct cell *find_cell(enum worker_state state, enum worker_event event)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (cells[i].state == state && cells[i].event == event)
            return &cells[i];
    }
    return NULL;
}

START_TEST(every_cell)
{
    for (int state = WORKER_STOPPED; state < WORKER_STATES; state++) {
        for (int event = 0; event < WORKER_EVENTS; event++) {
            const struct cell *cell = find_cell((enum worker_state)state, (enum worker_event)event);
            struct worker_step step =
                worker_fsm_step((enum worker_state)state, (enum worker_event)event);
            ck_assert_msg(step.next == (cell ? cell->next : WORKER_STAY) &&
                              step.action == (cell ? cell->action : WORKER_ACT_NONE),
                          "state %s, event %d", worker_state_name((enum worker_state)state), event);
        }
    }
}
END_TEST

START_TEST(a_process_is_only_alive_between_spawn_and_exit)
{
    ck_assert(!worker_state_alive(WORKER_STOPPED));
    ck_assert(worker_state_alive(WORKER_STARTING));
    ck_assert(worker_state_alive(WORKER_ONLINE));
    ck_assert(worker_state_alive(WORKER_DRAINING));
    ck_assert(worker_state_alive(WORKER_STOPPING));
    ck_assert(!worker_state_alive(WORKER_WAITING));
    ck_assert(!worker_state_alive(WORKER_ERRORED));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker_fsm");
    TCase *cases = tcase_create("table");
    tcase_add_test(cases, every_cell);
    tcase_add_test(cases, a_process_is_only_alive_between_spawn_and_exit);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
