// What a client wants of what we have (RFC 9110 §12). Pure.
#ifndef GW_METRICSD_ACCEPT_H
#define GW_METRICSD_ACCEPT_H

#include <stdbool.h>

#include "exposition.h"

// OpenMetrics when Accept names it, in a version that we write, and does not prefer text/plain.
// Text otherwise, also when nothing suits: whoever asks for metrics wants some.
enum exposition_format accept_format(const char *accept);

// Whether Accept-Encoding allows gzip.
bool accept_gzip(const char *accept_encoding);

#endif
