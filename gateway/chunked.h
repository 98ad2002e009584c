// Chunked answers to HTTP/1.1 clients, whatever the status.
#ifndef GW_GATEWAY_CHUNKED_H
#define GW_GATEWAY_CHUNKED_H

#include <h2o.h>

// Replaces libh2o's own filter, which encodes answers with status 200 only and ends the connection
// after others. The path must be fresh from h2o_config_register_path.
void chunked_install(h2o_pathconf_t *path);

#endif
