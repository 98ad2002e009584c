// Paths into a configuration, as people read them: apps[0].ready.http, upstreams["a b"].app.
#ifndef GW_COMMON_CONFIG_PATH_H
#define GW_COMMON_CONFIG_PATH_H

#include "common/json.h"

// The path of a member or item of what stands at `path` ("" = the root). The caller frees it.
char *config_path_member(const char *path, const char *key);
char *config_path_item(const char *path, size_t index);

// Where the value at `path` below `value` stands; when it is not there, its nearest container.
struct json_place config_path_place(const struct json_doc *doc, struct json_object *value,
                                    const char *path);

// A value as an error shows it: its JSON, cut when long, "***" for members whose name says that
// they are secret (secret.h). The caller frees it.
char *config_quote(struct json_object *value);

#endif
