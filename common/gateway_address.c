// The two kinds of address in a gateway's configuration: where it listens, and where a server is.
// Nothing is looked up here: names other than localhost are no addresses.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"

enum { HTTP_PORT = 80 };

static int parse_port(const char *text, int *port, struct err *err)
{
    size_t length = strspn(text, "0123456789");
    long number = length > 0 && length <= 5 && !text[length] ? strtol(text, NULL, 10) : 0;
    if (number < 1 || number > 65535)
        return err_set(err, "\"%s\" is not a port (1 to 65535)", text);
    *port = (int)number;
    return 0;
}

// Splits "host[:port]"; the brackets of an IPv6 address go. *rest is at the ":" or at the end.
static int split_host(const char *text, char *host, size_t size, const char **rest, struct err *err)
{
    bool is_bracketed = *text == '[';
    const char *start = text + is_bracketed;
    size_t length = strcspn(start, is_bracketed ? "]" : ":");

    *rest = start + length;
    if (is_bracketed && **rest != ']')
        return err_set(err, "\"%s\" lacks a \"]\"", text);
    *rest += is_bracketed;
    if ((**rest && **rest != ':') || length == 0 || length >= size)
        return err_set(err, "\"%s\" is not HOST:PORT", text);
    memcpy(host, start, length);
    host[length] = '\0';
    return 0;
}

static bool is_ip(const char *host, bool is_bracketed)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(is_bracketed ? AF_INET6 : AF_INET, host, bytes) == 1;
}

int listen_address_parse(const char *address, char *host, size_t host_size, int *port,
                         struct err *err)
{
    const char *rest;
    if (split_host(address, host, host_size, &rest, err) < 0)
        return -1;
    if (*rest != ':')
        return err_set(err, "\"%s\" lacks a port", address);
    if (strcmp(host, "*") == 0 && *address != '[')
        *host = '\0';
    else if (strcmp(host, "localhost") == 0 && *address != '[' && host_size > strlen("127.0.0.1"))
        strcpy(host, "127.0.0.1");
    else if (!is_ip(host, *address == '['))
        return err_set(err, "\"%s\" is not an IP address", host);
    return parse_port(rest + 1, port, err);
}

static int parse_unix(const char *path, struct server_address *address, struct err *err)
{
    if (*path != '/' || strlen(path) >= sizeof address->path)
        return err_set(err, "\"%s\" is not an absolute path of at most %zu bytes", path,
                       sizeof address->path - 1);
    strcpy(address->path, path);
    return 0;
}

static int parse_http(const char *authority, struct server_address *address, struct err *err)
{
    const char *rest;
    if (split_host(authority, address->host, sizeof address->host, &rest, err) < 0)
        return -1;
    if (strcmp(address->host, "localhost") == 0 && *authority != '[')
        strcpy(address->host, "127.0.0.1");
    else if (!is_ip(address->host, *authority == '['))
        return err_set(err, "\"%s\" is neither an IP address nor localhost", address->host);
    address->port = HTTP_PORT;
    return *rest == ':' ? parse_port(rest + 1, &address->port, err) : 0;
}

int server_address_parse(const char *text, struct server_address *address, struct err *err)
{
    *address = (struct server_address){0};
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, address, err);
    if (strncmp(text, "http://", 7) == 0)
        return parse_http(text + 7, address, err);
    return err_set(err, "\"%s\" is neither http://HOST:PORT nor unix:/PATH", text);
}
