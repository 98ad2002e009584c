// ${NAME} and ${NAME:-default} inside strings of a configuration.
#ifndef GW_COMMON_SUBST_H
#define GW_COMMON_SUBST_H

#include "common/err.h"

// The value of a variable or NULL. `context` is the caller's.
typedef const char *subst_lookup(const char *name, void *context);

// Replaces each ${NAME:-default} by the variable when set and not empty, else by the default, and
// each ${NAME} by the variable, which must be set (empty is allowed). `$$` is a dollar sign; a
// dollar before anything else stands for itself. Defaults are not expanded again.
// Returns a new string (free), or NULL with err: unset variable, missing brace, bad name.
char *subst_expand(const char *text, subst_lookup *lookup, void *context,
                   struct err *err) GW_MUST_USE;

#endif
