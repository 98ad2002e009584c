// What makes an ecosystem file independent of where and by whom it is read.
#ifndef GW_COMMON_ECOSYSTEM_RESOLVE_H
#define GW_COMMON_ECOSYSTEM_RESOLVE_H

#include "common/keytable.h"
#include "common/subst.h"

// Expands variables in every string of doc's tree, in place. Findings go to errors.
void ecosystem_expand(const struct json_doc *doc, subst_lookup *lookup, void *context,
                      struct config_errors *errors);

// An array of apps or one app as {"apps": [...]}; anything else as it is. The caller puts it.
struct json_object *ecosystem_wrap(struct json_object *root);

// A document with a gateway gets the sidecars that it does not name; `false` is none.
void ecosystem_add_sidecars(struct json_object *document);

// Makes cwd, script, out_file and error_file of the wrapped document absolute against `folder`,
// which is absolute. A script that is not there but in the app's cwd is that one; one without "/"
// that is in neither stays: it is to be found in PATH. Values of a wrong type stay as they are.
void ecosystem_make_absolute(struct json_object *document, const char *folder);

#endif
