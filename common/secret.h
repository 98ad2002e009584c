// What may not be shown: values whose name says they are secret.
#ifndef GW_COMMON_SECRET_H
#define GW_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

// True when a name contains PASS, SECRET, TOKEN, KEY or CREDENTIAL in any case.
bool secret_name_matches(const char *name);

// Copies `value` with the password of a URL's userinfo (scheme://user:password@host) replaced by
// "***"; everything else is kept. New string (free).
char *secret_mask_url(const char *value);

#endif
