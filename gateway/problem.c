// The bodies of our own error answers, serialised beforehand: an overloaded gateway answers a lot
// of them. Type "about:blank" says that the status is all there is to know (RFC 9457 §4.2.1).
#include "problem.h"

#include <stddef.h>

#define PROBLEM(status, title, detail)                                                             \
    {                                                                                              \
        status, title,                                                                             \
        {                                                                                          \
            PROBLEM_TEXT(#status, title, detail), sizeof(PROBLEM_TEXT(#status, title, detail)) - 1 \
        }                                                                                          \
    }
#define PROBLEM_TEXT(status, title, detail)                                                        \
    "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status ",\"detail\":\"" detail \
    "\"}\n"

// The first one answers for every status of which not even the class has a row.
static const struct problem problems[] = {
    PROBLEM(500, "Internal Server Error", "The gateway could not handle the request."),
    PROBLEM(400, "Bad Request", "The request is not valid HTTP."),
    PROBLEM(401, "Unauthorized", "This needs credentials that the gateway accepts."),
    PROBLEM(403, "Forbidden", "This is not for everybody."),
    PROBLEM(404, "Not Found", "Nothing is served at this path."),
    PROBLEM(405, "Method Not Allowed", "This path does not take the method."),
    PROBLEM(408, "Request Timeout", "The request did not arrive in time."),
    PROBLEM(413, "Content Too Large", "The request body is larger than the gateway accepts."),
    PROBLEM(417, "Expectation Failed", "The gateway knows no expectation but 100-continue."),
    PROBLEM(421, "Misdirected Request",
            "Ask for http://localhost or http://127.0.0.1 here, or send the token of monitoring."),
    PROBLEM(502, "Bad Gateway", "The service behind the gateway did not give a valid answer."),
    PROBLEM(503, "Service Unavailable", "The service behind the gateway is not available."),
    PROBLEM(504, "Gateway Timeout", "The service behind the gateway did not answer in time."),
};

static const struct problem *find(int status)
{
    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); ++i)
        if (problems[i].status == status)
            return &problems[i];
    return NULL;
}

const struct problem *problem_get(int status)
{
    const struct problem *problem = find(status);
    if (problem == NULL)
        problem = find(status / 100 * 100);
    return problem != NULL ? problem : &problems[0];
}
