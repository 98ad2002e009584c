"""What stands in the memory pages that processes share, as the headers in common/ lay them out."""

import mmap
import os
import struct


def xxh32(data):
    """XXH32 with seed 0 of 16 + 4n bytes: the checksum of the headers."""
    p1, p2, p3, p4, mask = 2654435761, 2246822519, 3266489917, 668265263, 0xFFFFFFFF

    def rotate(value, bits):
        return (value << bits | value >> 32 - bits) & mask

    lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
    words = struct.unpack(f"<{len(data) // 4}I", data)
    stripes = len(words) // 4
    for stripe in range(stripes):
        lanes = [rotate((lane + word * p2) & mask, 13) * p1 & mask
                 for lane, word in zip(lanes, words[stripe * 4:])]
    value = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & mask
    value = (value + len(data)) & mask
    for word in words[stripes * 4:]:
        value = rotate((value + word * p3) & mask, 17) * p4 & mask
    for shift, prime in ((15, p2), (13, p3)):
        value = (value ^ value >> shift) * prime & mask
    return value ^ value >> 16


# --- the cache segment ---------------------------------------------------------------------------

SEGMENT_REDIS_AT = 60  # of struct segment_header
REDIS_STATES = ("none", "closed", "half-open", "open")


def redis_state(page):
    """What the cache's page (a descriptor) tells about Redis."""
    return REDIS_STATES[struct.unpack("<I", os.pread(page, 4, SEGMENT_REDIS_AT))[0]]


# --- the state page ------------------------------------------------------------------------------

STATE_COLUMNS, STATE_ENDPOINTS, STATE_TOUCHES = 512, 1024, 512
STATE_HEADER = struct.Struct("<QIII")  # magic, version, columns, endpoints; then the checksum
STATE_COLUMN = struct.Struct(f"<2Q2I{STATE_ENDPOINTS}II4x{STATE_TOUCHES}Q")


class State:
    """A state page of the test's own."""

    def __init__(self):
        size = STATE_HEADER.size + 4 + STATE_COLUMNS * STATE_COLUMN.size
        self.fd = os.memfd_create("state")
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)
        header = STATE_HEADER.pack(0x3145544154535747, 4, STATE_COLUMNS, STATE_ENDPOINTS)
        self.map[:STATE_HEADER.size + 4] = header + struct.pack("<I", xxh32(header))

    def column(self, index):
        values = STATE_COLUMN.unpack_from(
            self.map, STATE_HEADER.size + 4 + index * STATE_COLUMN.size)
        names = ("heartbeat", "loop_lag_us", "connections", "in_flight")
        return dict(zip(names, values)) | {"endpoints": values[4:4 + STATE_ENDPOINTS]}


# --- the metrics page ----------------------------------------------------------------------------

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE", "OTHER")
FAILURES = ("connect", "connect_timeout", "timeout", "closed", "bad_answer")
CACHE_RESULTS = ("hit", "miss", "stale", "bypass")
FAMILIES = (None, "requests", "duration", "duration_sum", "response_bytes", "upstream_requests",
            "upstream_duration", "upstream_duration_sum", "upstream_failures", "retries", "cache",
            "cache_waits", "connections", "access_log_dropped", "overflows")
COLUMNS, CELLS, NAMES_SIZE, ERRORS, BASELINES = 512, 1 << 16, 256 << 10, 64, 2
CELL = struct.Struct("<2I4HQ")  # the key: names, family, first, second, bound; the value
ERROR = struct.Struct("<QQHB225s128s48s4x")
RING = struct.Struct("<QQ")
HEADER = struct.Struct("<QIIQQ32s")  # magic, version, columns, size, created, key; the checksum
HEADER_SIZE = 4096
RING_SIZE = RING.size + ERRORS * ERROR.size
NAMES_AT = 8 + 2 * RING_SIZE
CELLS_AT = NAMES_AT + NAMES_SIZE
COLUMN_SIZE = CELLS_AT + CELLS * CELL.size
PAGE_SIZE = HEADER_SIZE + (BASELINES + COLUMNS) * COLUMN_SIZE
PAGE_SIZE += -PAGE_SIZE % 4096


def text(field):
    return field.partition(b"\0")[0].decode(errors="replace")


class Column:
    """What one worker after the other has counted."""

    def __init__(self, fd, index):
        self.fd = fd
        self.at = HEADER_SIZE + (BASELINES + index) * COLUMN_SIZE
        count, used = struct.unpack("<II", self._read(0, 8))
        self.names = self._read(NAMES_AT, used)
        self.cells = list(CELL.iter_unpack(self._read(CELLS_AT, count * CELL.size)))

    def _read(self, offset, size):
        return os.pread(self.fd, size, self.at + offset)

    def _name(self, offset):
        return self.names[offset + 1:offset + 1 + self.names[offset]].decode() if offset else None

    def family(self, name):
        """{(name, name, first, second): value} of a family, whatever the bounds."""
        number, sums = FAMILIES.index(name), {}
        for one, two, family, first, second, _, value in self.cells:
            if family == number:
                key = (self._name(one), self._name(two), first, second)
                sums[key] = sums.get(key, 0) + value
        return sums

    def sum(self, name):
        return sum(self.family(name).values())

    def errors(self, kind):
        """The last errors, the newest first: of "server" or "client"."""
        at = 8 + ("server", "client").index(kind) * RING_SIZE
        begun, written = RING.unpack(self._read(at, RING.size))
        slots = [ERROR.unpack(self._read(at + RING.size + slot % ERRORS * ERROR.size, ERROR.size))
                 for slot in reversed(range(max(0, written - ERRORS), written))]
        return [{"wall_ms": wall, "duration_us": duration, "status": status,
                 "method": METHODS[method], "path": text(path), "user_agent": text(agent),
                 "ip": text(ip)}
                for wall, duration, status, method, path, agent, ip in slots]


class Metrics:
    """The metrics page, all columns together: of this descriptor, or one of the test's own."""

    def __init__(self, fd=None):
        self.fd = fd
        if fd is None:
            self.fd = os.memfd_create("metrics")
            os.ftruncate(self.fd, PAGE_SIZE)
            header = HEADER.pack(0x314D455254454D47, 2, COLUMNS, PAGE_SIZE, 1, bytes(range(32)))
            os.pwrite(self.fd, header + struct.pack("<I", xxh32(header)), 0)

    def column(self, index):
        return Column(self.fd, index)

    def columns(self):
        opened = os.pread(self.fd, COLUMNS, HEADER.size + 4)
        return [Column(self.fd, index) for index in range(COLUMNS) if opened[index]]

    def family(self, name):
        sums = {}
        for column in self.columns():
            for key, value in column.family(name).items():
                sums[key] = sums.get(key, 0) + value
        return sums

    def sum(self, name):
        return sum(self.family(name).values())


def open_page(pid, name):
    """A descriptor of the page that a process has, such as "gwctl-metrics"; the caller's to close."""
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            if os.readlink(f"{folder}/{number}").startswith(f"/memfd:{name}"):
                return os.open(f"{folder}/{number}", os.O_RDONLY)
        except OSError:
            continue
    raise AssertionError(f"process {pid} has no page {name}")
