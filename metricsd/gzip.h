// gzip (RFC 1952) of a whole text, fast rather than small: the loop waits for it.
#ifndef GW_METRICSD_GZIP_H
#define GW_METRICSD_GZIP_H

#include "common/buf.h"

// Replaces what is readable in the buffer.
void gzip_compress(struct buf *text);

#endif
