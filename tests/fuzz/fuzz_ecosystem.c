// Any text as an ecosystem file. Either there are findings, or a configuration whose document is
// accepted again, without a word and as the same configuration, as the supervisor does.
//
// covers: common/ecosystem.c common/ecosystem_resolve.c common/keytable.c common/gateway_address.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ecosystem.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const char *look_up(const char *name, void *context)
{
    (void)context;
    return name[0] == 'S' ? "3" : name[0] == 'E' ? "" : NULL;
}

static void check_addresses(const struct gateway_config *gateway)
{
    const struct listen_config *listen = gateway->listen.items;
    const struct upstream_config *upstreams = gateway->upstreams.items;
    struct server_address address;
    char host[64];
    int port;

    require(gateway->listen.count > 0 && gateway->routes.count > 0);
    for (size_t i = 0; i < gateway->listen.count; i++)
        require(listen_address_parse(listen[i].address, host, sizeof host, &port, NULL) == 0);
    for (size_t i = 0; i < gateway->upstreams.count; i++)
        for (size_t n = 0; n < upstreams[i].servers.count; n++)
            require(server_address_parse(upstreams[i].servers.items[n], &address, NULL) == 0);
}

static void check_accepted(const struct ecosystem *ecosystem)
{
    struct config_errors *errors = config_errors_new("document");
    struct ecosystem *again = ecosystem_from_document(ecosystem->document, errors);
    require(again != NULL && config_errors_count(errors) == 0);
    require(again->app_count == ecosystem->app_count);
    require((again->gateway == NULL) == (ecosystem->gateway == NULL));
    for (size_t i = 0; i < again->app_count; i++) {
        require(strcmp(again->apps[i].name, ecosystem->apps[i].name) == 0);
        require(strcmp(again->apps[i].script, ecosystem->apps[i].script) == 0);
        require(again->apps[i].cwd[0] == '/');
    }
    if (again->gateway != NULL)
        check_addresses(again->gateway);
    ecosystem_free(again);
    config_errors_free(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors *errors = config_errors_new("fuzz.json");
    struct ecosystem *ecosystem =
        ecosystem_load((const char *)data, size, "/srv", look_up, NULL, errors);

    require((ecosystem == NULL) == (config_errors_count(errors) > 0));
    for (size_t i = 0; i < config_errors_count(errors); i++)
        require(strncmp(config_errors_text(errors, i), "fuzz.json:", 10) == 0);
    if (ecosystem != NULL)
        check_accepted(ecosystem);
    ecosystem_free(ecosystem);
    config_errors_free(errors);
    return 0;
}
