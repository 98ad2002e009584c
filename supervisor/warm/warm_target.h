// The gateway that `cache warm` asks.
#ifndef GW_CLI_WARM_TARGET_H
#define GW_CLI_WARM_TARGET_H

#include "common/err.h"

struct warm_target {
    char base[300];       // "http://127.0.0.1:5055": what stands before a path
    char connect_to[300]; // "::127.0.0.1:5055": where every request goes, whatever its URL names
};

// From "http://HOST[:PORT]", a "/" behind it or not. -1 with err.
int warm_target_from_url(const char *url, struct warm_target *target, struct err *err) GW_MUST_USE;

// From what `list` shows of a gateway: "0.0.0.0:80", "[::1]:80 +1". All addresses are asked at the
// loopback one.
int warm_target_from_listener(const char *endpoint, struct warm_target *target,
                              struct err *err) GW_MUST_USE;

#endif
