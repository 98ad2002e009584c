"""A million requests, each with a path, a method and a User-Agent that no other one has.

Two workers; half of the paths go to a route, half to none. What clients make up must make no series
and take no memory: from the first 10,000 on the numbers are to stay as they are.
"""

import itertools
import socket

import measure
import metrics_home
from measure import Failed, Servers

STEPS = 0, 10_000, 250_000, 500_000, 1_000_000
CONNECTIONS, PIPELINED = 50, 50  # what is sent before answers are read fits the sockets' buffers
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def name_method(number):
    letters = "X"  # so that none is a known one
    for _ in range(5):
        number, digit = divmod(number, len(LETTERS))
        letters += LETTERS[digit]
    return letters


def write_request(number):
    folder = "api" if number % 2 else "none"
    return (f"{name_method(number)} /{folder}/{number:07d} HTTP/1.1\r\nHost: shop.example.com\r\n"
            f"User-Agent: scanner/{number}\r\n\r\n").encode()


def read_answers(connection, count):
    """Up to the head of the last one: what is left of it comes before the next batch's first."""
    text = b""
    while text.count(b"HTTP/1.1 ") < count:
        piece = connection.recv(1 << 16)
        if not piece:
            raise Failed(f"the gateway closed a connection: {text[-300:]}")
        text += piece


def send(connections, numbers):
    """All connections at the same time, so that no worker waits for another's answers."""
    batch = [write_request(number) for number in itertools.islice(numbers, PIPELINED)]
    while batch:
        asked = []
        for connection in connections:
            connection.sendall(b"".join(batch))
            asked.append((connection, len(batch)))
            batch = [write_request(number) for number in itertools.islice(numbers, PIPELINED)]
            if not batch:
                break
        for connection, count in asked:
            read_answers(connection, count)


def measure_row(page, pids):
    text = page.read()
    if metrics_home.sum_of(text, "gwctl_series_overflows_total") != 0:
        raise Failed("series overflowed")
    memory = [f"{measure.memory_mb(pid)[0]:.2f} MB" for pid in pids["gateway"] + pids["metricsd"]]
    return [f"{int(metrics_home.sum_of(text, 'gwctl_http_requests_total')):,}",
            f"{metrics_home.count_series(text):,}", *memory]


def run(_options):
    with Servers() as servers:
        port, page, pids = metrics_home.start(servers, access_log=False, routes=[
            {"path": "/api/*", "upstream": "origin"}])
        connections = [servers.enter_context(socket.create_connection(("127.0.0.1", port), 30))
                       for _ in range(CONNECTIONS)]
        rows = []
        for begin, end in zip((0, *STEPS), STEPS):
            send(connections, iter(range(begin, end)))
            rows.append(measure_row(page, pids))
        measure.print_table(["requests", "series", "PSS of a worker", "of the other",
                             "of metricsd"], rows)
