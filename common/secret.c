// Which values are secret, by their names.

#include "common/secret.h"

#include <string.h>

#include "common/mem.h"

bool secret_name_matches(const char *name)
{
    static const char *const parts[] = {"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

char *secret_mask_url(const char *value)
{
    const char *scheme = strstr(value, "://");
    if (!scheme)
        return mem_strdup(value);
    const char *authority = scheme + 3;
    const char *end = authority + strcspn(authority, "/?#");
    // The last '@' ends the userinfo: a password may hold one that nobody escaped.
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (!colon)
        return mem_strdup(value);
    return mem_printf("%.*s***%s", (int)(colon + 1 - value), value, at);
}
