// Asks for the list; a home without a supervisor has none.

#include "processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/json.h"
#include "common/keytable.h"
#include "common/mem.h"
#include "common/report.h"

// Takes client; NULL is an error that err has already.
static struct json_object *ask(struct client *client, struct err *err)
{
    struct json_object *answer = client ? client_request(client, "list", NULL, err) : NULL;
    client_close(client);
    if (!answer)
        return NULL;
    struct json_object *processes = json_object_get(json_get_array(answer, "processes"));
    json_object_put(answer);
    return processes ? processes : json_object_new_array();
}

struct json_object *processes_list(struct err *err)
{
    bool absent;
    struct client *client = client_connect(&absent, err);
    return !client && absent ? json_object_new_array() : ask(client, err);
}

struct json_object *processes_of_running(struct err *err)
{
    return ask(client_connect_running(err), err);
}

bool process_matches(struct json_object *process, const char *word)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)json_get_int(process, "pm_id", -1));
    return strcmp(word, "all") == 0 || strcmp(word, id) == 0 ||
           strcmp(word, json_get_string(process, "name", "")) == 0;
}

static bool is_known(struct json_object *processes, const char *word)
{
    bool known = strcmp(word, "all") == 0;
    for (size_t i = 0; !known && i < json_object_array_length(processes); i++)
        known = process_matches(json_object_array_get_idx(processes, i), word);
    return known;
}

const char *processes_first_unknown(struct json_object *processes, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_known(processes, words[i]))
            return words[i];
    }
    return NULL;
}

int processes_refuse(struct json_object *processes, const char *word, const char *sentence)
{
    size_t count = json_object_array_length(processes);
    const char **names = mem_zalloc(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = json_get_string(json_object_array_get_idx(processes, i), "name", "");
    const char *near = suggest_word(word, names);
    char *text = mem_printf("%s: %s%s%s%s", word, sentence, near ? "; did you mean \"" : "",
                            near ? near : "", near ? "\"?" : "");
    int code = report_error(text);
    free(text);
    free(names);
    return code;
}
