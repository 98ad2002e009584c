// Splits such a URL. Not its job: whether anything is served there, which the first request tells.

#include "common/warm_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char scheme[] = "http://";

static bool is_host_byte(char byte)
{
    return isalnum((unsigned char)byte) || (byte != '\0' && strchr("-._:[]", byte));
}

static bool is_target(const char *target)
{
    if (*target != '/')
        return false;
    for (const char *at = target; *at; at++)
        if (*at <= ' ' || *at >= 0x7F || *at == '#')
            return false;
    return true;
}

int warm_url_parse(const char *text, struct warm_url *url, struct err *err)
{
    *url = (struct warm_url){.host = text, .target = text};
    if (strncmp(text, scheme, sizeof scheme - 1) == 0) {
        url->host = text + sizeof scheme - 1;
        while (is_host_byte(url->host[url->host_length]))
            url->host_length++;
        url->target = url->host + url->host_length;
        if (url->host_length == 0)
            url->target = "";
    }
    if (!is_target(url->target))
        return err_set(err, "is neither \"http://HOST/PATH\" nor \"/PATH\"");
    return 0;
}
