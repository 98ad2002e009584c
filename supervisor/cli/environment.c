// An app runs in the environment of the command that started it, and not in that of whichever
// command once started the supervisor. What another program left for this very process stays here.

#include "environment.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/json_token.h"
#include "common/proto.h"

// Ends with '*': every name that begins so.
static const char *const own[] = {"LISTEN_*", "NOTIFY_SOCKET", "NODE_CHANNEL_*", ENV_HOME,
                                  ENV_GROUP,  ENV_APP,         ENV_ID,           "_"};

static bool matches(const char *pattern, const char *name, size_t length)
{
    size_t prefix = strlen(pattern);
    bool open = pattern[prefix - 1] == '*';
    prefix -= open;
    return strncmp(pattern, name, prefix) == 0 && (open ? length >= prefix : length == prefix);
}

static bool travels(const char *assignment)
{
    size_t length = strcspn(assignment, "=");
    if (length == 0 || assignment[length] == '\0' ||
        !json_token_is_utf8(assignment, strlen(assignment)))
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (matches(own[i], assignment, length))
            return false;
    }
    return true;
}

struct json_object *environment_list(void)
{
    struct json_object *list = json_object_new_array();
    for (char **at = environ; *at; at++) {
        if (travels(*at))
            json_object_array_add(list, json_object_new_string(*at));
    }
    return list;
}
