"""What stands in the memory pages that processes share, as the headers in common/ lay them out."""

import os
import struct

SEGMENT_REDIS_AT = 60  # of struct segment_header
REDIS_STATES = ("none", "closed", "half-open", "open")


def redis_state(page):
    """What the cache's page (a descriptor) tells about Redis."""
    return REDIS_STATES[struct.unpack("<I", os.pread(page, 4, SEGMENT_REDIS_AT))[0]]
