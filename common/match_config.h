// A condition on a request, as configurations write it:
//   { "method": ["GET", "HEAD"], "path": "/api/*", "header": "accept=*json*" }
// All members that are there must hold. The bare word "authenticated" is { "authenticated": true }.
#ifndef GW_COMMON_MATCH_CONFIG_H
#define GW_COMMON_MATCH_CONFIG_H

#include "common/keytable.h"

// "name": present; "name=glob": some value of it matches.
struct match_value_config {
    char *name; // NULL: no such condition
    char *glob; // NULL: present is enough
};

enum { MATCH_AUTHENTICATED_ROW = 1 }; // the first row, in `given`

struct match_config {
    struct key_given given;
    char *path;                       // "/exact" or "/prefix/*"; NULL: any
    struct key_strings methods;       // one of them; empty: any
    struct match_value_config header; // the name in lower case
    struct match_value_config query;
    struct match_value_config cookie;
    bool is_authenticated;
};

extern const struct key_table match_config_table;

#endif
