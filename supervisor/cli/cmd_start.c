// start, restart, reload: what an ecosystem file, a script or names bring to run.
//
// Only what is new can start a supervisor: names mean something only to one that runs.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/report.h"
#include "daemon_start.h"
#include "environment.h"
#include "processes.h"
#include "source.h"

static struct json_object *document_args(struct json_object *document, const char *path)
{
    struct json_object *args = json_object_new_object();
    char *full = source_full_path(path);
    json_object_object_add(args, "document", json_object_get(document));
    json_object_object_add(args, "file", json_object_new_string(full));
    json_object_object_add(args, "environment", environment_list());
    free(full);
    return args;
}

static int send_documents(const char *command, struct json_object **documents, char **paths,
                          size_t count)
{
    struct err err;
    int code = EXIT_OK;
    struct client *client = daemon_connect_or_start(&err);
    if (!client)
        return report_error(err.text);
    for (size_t i = 0; i < count && code == EXIT_OK; i++)
        code = client_command(client, command, document_args(documents[i], paths[i]));
    client_close(client);
    return code;
}

// All files are read before the first is sent: a mistake in the last one must not be found
// half-way.
static int send_files(const char *command, const struct options *options)
{
    size_t count = options->word_count;
    struct json_object **documents = source_load_files(options->words, count);
    int code = EXIT_FAILED;
    if (documents)
        code = send_documents(command, documents, options->words, count);
    source_free_documents(documents, count);
    return code;
}

static int send_names(const char *command, const struct options *options)
{
    struct err err;
    struct client *client = client_connect_running(&err);
    if (!client)
        return report_error(err.text);
    struct json_object *args = client_selectors(options->words, options->word_count);
    int code = client_command(client, command, args);
    client_close(client);
    return code;
}

int cmd_reload(const struct command *command, const struct options *options)
{
    switch (source_of_words(options->words, options->word_count)) {
    case SOURCE_MIXED:
        return command_refuse(command, "files and names do not go together");
    case SOURCE_FILES:
        return send_files(command->word, options);
    case SOURCE_NAMES:
        break;
    }
    return send_names(command->word, options);
}

// --- start --------------------------------------------------------------------------------------

// Files and apps say themselves what the options say of a script. Returns EXIT_OK when there are
// none.
static int refuse_script_options(const struct command *command, const struct options *options)
{
    char *what = NULL;
    for (size_t i = 0; !what && command->options[i].name; i++) {
        if (options->values[i])
            what = mem_printf("--%s goes with a SCRIPT only", command->options[i].name);
    }
    if (!what && options->rest_count > 0)
        what = mem_strdup("words behind -- go with a SCRIPT only");
    int code = what ? command_refuse(command, what) : EXIT_OK;
    free(what);
    return code;
}

static int start_script(const struct command *command, const struct options *options)
{
    char path[] = "command line", *paths[] = {path};
    if (options->word_count > 1)
        return command_refuse(command, "arguments of a script stand behind --");
    struct json_object *document = source_from_script(command, options);
    int code = document ? send_documents("start", &document, paths, 1) : EXIT_FAILED;
    json_object_put(document);
    return code;
}

static int start_words(const struct command *command, const struct options *options,
                       struct json_object *processes)
{
    char **words = options->words;
    const char *unknown = processes_first_unknown(processes, words, options->word_count);
    if (!unknown) {
        int code = refuse_script_options(command, options);
        return code == EXIT_OK ? send_names("start", options) : code;
    }
    if (unknown == words[0] &&
        source_is_program(unknown, options_get(options, command->options, "cwd")))
        return start_script(command, options);
    return processes_refuse(processes, unknown, "no app, file or program of this name");
}

static int start_files(const struct command *command, const struct options *options)
{
    int code = refuse_script_options(command, options);
    return code == EXIT_OK ? send_files("start", options) : code;
}

int cmd_start(const struct command *command, const struct options *options)
{
    struct err err;
    switch (source_of_words(options->words, options->word_count)) {
    case SOURCE_MIXED:
        return command_refuse(command, "files and names do not go together");
    case SOURCE_FILES:
        return start_files(command, options);
    case SOURCE_NAMES:
        break;
    }
    struct json_object *processes = processes_list(&err);
    if (!processes)
        return report_error(err.text);
    int code = start_words(command, options, processes);
    json_object_put(processes);
    return code;
}
