// The packets between supervisor and keeper (common/proto.h), without the socket. Pure.
#ifndef GW_KEEPER_PACKET_H
#define GW_KEEPER_PACKET_H

#include <stddef.h>

enum packet_kind { PACKET_MALFORMED, PACKET_STORE, PACKET_REMOVE, PACKET_UPDATE };

// What a packet of `length` bytes (text[length] is writable and becomes NUL) asks for; *name,
// inside text, is valid by store_name_valid (PACKET_UPDATE has none: ""). A newline at the end is
// allowed.
enum packet_kind packet_parse(char *text, size_t length, char **name);

#endif
