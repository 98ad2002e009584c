// The error answers, in the gateway's form: fixed sentences, nothing of what went wrong inside.
#include "answer.h"

#include <assert.h>
#include <stddef.h>

struct problem {
    int status;
    const char *title; // the reason phrase
    const char *detail;
};

static const struct problem problems[] = {
    {400, "Bad Request", "A parameter of the query is not valid."},
    {404, "Not Found", "Nothing is served at this path."},
    {405, "Method Not Allowed", "This path does not take the method."},
    {429, "Too Many Requests", "The numbers are asked for too often."},
};

static const struct problem *find(int status)
{
    size_t i = 0;
    while (problems[i].status != status) {
        ++i;
        assert(i < sizeof(problems) / sizeof(problems[0]));
    }
    return &problems[i];
}

void answer_problem(struct answer *answer, int status)
{
    const struct problem *problem = find(status);
    buf_free(&answer->body);
    answer->status = status;
    answer->reason = problem->title;
    answer->content_type = "application/problem+json";
    buf_printf(&answer->body,
               "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
               problem->title, status, problem->detail);
}
