// Loading the configuration; what it may say is common/ecosystem.h's business. The variables of the
// environment stand in for what it does not say.
#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "common/ecosystem.h"
#include "common/log.h"

static const char *look_up(const char *name)
{
    return getenv(name);
}

static int complete(struct config *config, struct redis_config *redis, struct err *err)
{
    if (redis_config_add_environment(redis, look_up, err) != 0)
        return -1;
    config->redis = redis_config_is_on(redis) ? redis : NULL;
    return 0;
}

int config_from_document(struct config *config, struct json_object *document, struct err *err)
{
    struct config_errors *errors = config_errors_new("document");
    config->ecosystem = document ? ecosystem_from_document(document, errors) : NULL;
    for (size_t i = 0; i < config_errors_count(errors); ++i)
        log_error("%s", config_errors_text(errors, i));
    config_errors_free(errors);
    if (!config->ecosystem || !config->ecosystem->cachesvc)
        return err_set(err, "configuration from the supervisor: no \"cachesvc\" in it");
    return complete(config, &config->ecosystem->cachesvc->redis, err);
}

int config_by_hand(struct config *config, struct err *err)
{
    struct config_errors *errors = config_errors_new("defaults");
    struct json_object *nothing = json_object_new_object();
    int result = keytable_parse(&redis_config_table, nothing, NULL, "", &config->by_hand, errors);
    json_object_put(nothing);
    config_errors_free(errors);
    return result == 0 ? complete(config, &config->by_hand, err) : -1;
}

void config_clear(struct config *config)
{
    if (config->ecosystem)
        ecosystem_free(config->ecosystem);
    keytable_clear(&redis_config_table, &config->by_hand);
}
