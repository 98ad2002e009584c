// URLs are taken apart by libcurl, which will take them apart again when it requests them.

#include "warm_target.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "common/gateway_config.h"

static int fill(struct warm_target *target, const char *host, const char *port)
{
    size_t size = sizeof target->base;
    return (size_t)snprintf(target->base, size, "http://%s:%s", host, port) < size &&
                   (size_t)snprintf(target->connect_to, size, "::%s:%s", host, port) < size
               ? 0
               : -1;
}

// Scheme, host and port only.
static int read_url(CURLU *parts, const char *url, struct warm_target *target)
{
    char *path = NULL, *query = NULL, *user = NULL, *host = NULL, *port = NULL;
    int result = -1;
    if (strncmp(url, "http://", strlen("http://")) == 0 &&
        curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK && strcmp(path, "/") == 0 &&
        curl_url_get(parts, CURLUPART_QUERY, &query, 0) == CURLUE_NO_QUERY &&
        curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        result = fill(target, host, port);
    curl_free(path);
    curl_free(query);
    curl_free(user);
    curl_free(host);
    curl_free(port);
    return result;
}

int warm_target_from_url(const char *url, struct warm_target *target, struct err *err)
{
    CURLU *parts = curl_url();
    int result = parts ? read_url(parts, url, target) : -1;
    curl_url_cleanup(parts);
    return result == 0 ? 0 : err_set(err, "\"%s\" is no http://HOST:PORT", url);
}

int warm_target_from_listener(const char *endpoint, struct warm_target *target, struct err *err)
{
    char address[128], host[64], url[256];
    int port;
    snprintf(address, sizeof address, "%.*s", (int)strcspn(endpoint, " "), endpoint);
    if (listen_address_parse(address, host, sizeof host, &port, err) == -1)
        return err_prefix(err, "the gateway's address %s", address);
    bool is_any = *host == '\0' || strcmp(host, "0.0.0.0") == 0;
    bool is_any6 = strcmp(host, "::") == 0, is_six = strchr(host, ':') != NULL;
    snprintf(url, sizeof url, "http://%s%s%s:%d", is_six ? "[" : "",
             is_any    ? "127.0.0.1"
             : is_any6 ? "::1"
                       : host,
             is_six ? "]" : "", port);
    return warm_target_from_url(url, target, err);
}
