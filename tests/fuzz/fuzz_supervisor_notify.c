// The notify protocol: what any process of an app may send.
//
// covers: supervisor/daemon/notify_message.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notify_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct notify_message message, nothing = {0};
    struct err err;

    if (notify_message_parse((const char *)data, size, &message, &err) == -1) {
        if (memcmp(&message, &nothing, sizeof message) != 0)
            abort();
        return 0;
    }
    for (const char *c = message.status; *c; ++c)
        if ((*c >= 0 && *c < ' ') || *c == 0x7f)
            abort();
    return 0;
}
