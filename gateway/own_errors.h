// libh2o's own error answers (413, 417, a broken chunked body) in the form of ours.
#ifndef GW_GATEWAY_OWN_ERRORS_H
#define GW_GATEWAY_OWN_ERRORS_H

#include <h2o.h>

// For the fallback path of a host: only answers that libh2o makes before any handler runs go there.
void own_errors_install(h2o_pathconf_t *path);

#endif
