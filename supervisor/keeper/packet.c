// Reads what the supervisor asks for. Its words are systemd's (sd_pid_notify_with_fds(3)), each
// packet with exactly one command and one name, in this order (UPDATE has no name): anything else
// is malformed, for the only one who writes them is our own supervisor.

#include "packet.h"

#include <string.h>

#include "common/proto.h"
#include "store.h"

static const struct {
    const char *prefix;
    enum packet_kind kind;
} commands[] = {
    {"FDSTORE=1\nFDNAME=", PACKET_STORE},
    {"FDSTOREREMOVE=1\nFDNAME=", PACKET_REMOVE},
};

enum packet_kind packet_parse(char *text, size_t length, char **name)
{
    if (length > 0 && text[length - 1] == '\n')
        --length;
    text[length] = '\0';
    if (strlen(text) != length)
        return PACKET_MALFORMED;
    if (strcmp(text, "UPDATE=1") == 0) {
        *name = text + length;
        return PACKET_UPDATE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i) {
        size_t prefix = strlen(commands[i].prefix);
        if (strncmp(text, commands[i].prefix, prefix) == 0) {
            *name = text + prefix;
            return store_name_valid(*name) ? commands[i].kind : PACKET_MALFORMED;
        }
    }
    return PACKET_MALFORMED;
}
