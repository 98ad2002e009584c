// Asks for the list; a home without a supervisor has none.

#include "processes.h"

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "common/json.h"

struct json_object *processes_list(struct err *err)
{
    bool absent;
    struct client *client = client_connect(&absent, err);
    if (!client)
        return absent ? json_object_new_array() : NULL;
    struct json_object *answer = client_request(client, "list", NULL, err);
    client_close(client);
    if (!answer)
        return NULL;
    struct json_object *processes = json_object_get(json_get_array(answer, "processes"));
    json_object_put(answer);
    return processes ? processes : json_object_new_array();
}

bool process_matches(struct json_object *process, const char *word)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)json_get_int(process, "pm_id", -1));
    return strcmp(word, "all") == 0 || strcmp(word, id) == 0 ||
           strcmp(word, json_get_string(process, "name", "")) == 0;
}
