"""Memory of a million small keys, 16 bytes each with a value of 32, beside redis-server.

What they take beyond these 48 bytes, by what the server says of itself (CACHE.STATS, INFO memory)
and by what the kernel says of the process (PSS): the difference that filling makes, but for
CACHE.STATS, which counts the tables too that are there from the beginning.
"""

import os
import re
import subprocess

import cache_resp
import measure
from measure import Failed, Servers

KEYS, KEY_SIZE, VALUE_SIZE = 1000000, 16, 32


def write_commands(path):
    value = "v" * VALUE_SIZE
    with open(path, "w", newline="") as file:
        for number in range(KEYS):
            file.write(f"*3\r\n$3\r\nSET\r\n${KEY_SIZE}\r\nk{number:0{KEY_SIZE - 1}}\r\n"
                       f"${VALUE_SIZE}\r\n{value}\r\n")


def ask(path, *words):
    return subprocess.run(["redis-cli", "-s", path, *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def said_bytes(name, path):
    """What a server says that it uses."""
    if name == "cachesvc":
        return float(re.search(r"^memory\n([\d.]+) MB$", ask(path, "CACHE.STATS"), re.M)[1]) * 2**20
    return int(re.search(r"used_memory:(\d+)", ask(path, "INFO", "memory"))[1])


def fill(path, commands):
    with open(commands) as file:
        subprocess.run(["redis-cli", "-s", path, "--pipe"], stdin=file, check=True,
                       stdout=subprocess.DEVNULL)
    if int(ask(path, "DBSIZE")) != KEYS:
        raise Failed(f"{path} does not hold all keys")


def measure_side(name, side, commands):
    path, pid = side
    said_before = 0 if name == "cachesvc" else said_bytes(name, path)
    pss_before, _ = measure.memory_mb(pid)
    fill(path, commands)
    said = said_bytes(name, path) - said_before
    pss, _ = measure.memory_mb(pid)

    def beyond(total):
        return f"{total / KEYS - KEY_SIZE - VALUE_SIZE:.1f}"
    return [name, f"{said / 2**20:.1f} MB", beyond(said), f"{pss:.1f} MB",
            beyond((pss - pss_before) * 2**20)]


def run(_options):
    with Servers() as servers:
        commands = os.path.join(servers.folder, "commands")
        write_commands(commands)
        sides = cache_resp.start_servers(servers, "256M")
        measure.print_table(["server", "used", "bytes a key beyond key and value", "PSS",
                             "the same by PSS"],
                            [measure_side(name, side, commands) for name, side in sides.items()])
