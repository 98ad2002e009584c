#!/usr/bin/env python3
"""The demo app: a small JSON API as a supervised app writes it, with Python's standard library.

It listens on $HOST:$PORT, answers as if a database were behind it, and ends well on SIGTERM: it
accepts nothing new, closes idle connections, and finishes the requests it has begun.

  GET  /api/services   2.3 KB of JSON after 20 ms     POST /api/services   201, counts what it made
  GET  /api/vendors    a shorter list                 GET  /slow?ms=2000   answers late
  GET  /healthz        is it ready?                   GET  /counts         requests answered so far
  GET  /crash          ends with exit code 1          GET  /leak           keeps 10 MB more

DEMO_VERSION is shown in /healthz. With DEMO_BROKEN=never-ready, /healthz answers 503 for ever.
"""

import asyncio
import json
import os
import signal
import sys
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

HEAD_MAX = 16 * 1024
BODY_MAX = 1024 * 1024
DATABASE_DELAY = 0.020
LEAK_BYTES = 10 * 1024 * 1024
UNCOUNTED = {"/healthz", "/counts"}

VENDORS = ["Northwind", "Acme", "Globex", "Initech", "Umbrella", "Hooli"]


def service_list():
    """A list of services that is 2.3 KB as JSON."""
    services = [
        {"id": f"svc-{n:03}", "name": f"Service number {n}", "vendor": VENDORS[n % len(VENDORS)],
         "price": 1900 + 37 * n, "currency": "EUR", "rating": 30 + n % 20, "active": n % 7 != 0}
        for n in range(1, 20)
    ]
    return {"services": services, "count": len(services)}


class BadRequest(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Request:
    def __init__(self, method, target, keep_alive, body):
        parts = urlsplit(target)
        self.method = method
        self.path = parts.path
        self.query = parse_qs(parts.query)
        self.keep_alive = keep_alive
        self.body = body


def parse_head(head):
    """The method, target, version and header fields (lower-case names) of a request head."""
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise BadRequest(400, "not a request line") from None
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(505, "HTTP/1.0 and HTTP/1.1 only")
    fields = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, "not a header field")
        fields[name.lower()] = value.strip()
    return method, target, version, fields


async def read_request(reader, first):
    """The request that begins with the byte `first`, or None when the connection ends in it."""
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest(431, "the head is too long") from None
    method, target, version, fields = parse_head(head)
    if "transfer-encoding" in fields:
        raise BadRequest(411, "a length is required")
    length = fields.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400, "bad length")
    if int(length) > BODY_MAX:
        raise BadRequest(413, "the body is too long")
    try:
        body = await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    connection = fields.get("connection", "").lower()
    keep_alive = connection != "close" if version == "HTTP/1.1" else connection == "keep-alive"
    return Request(method, target, keep_alive, body)


class App:
    """What the routes do. Each returns a status and an object that becomes the JSON body."""

    def __init__(self):
        self.version = os.environ.get("DEMO_VERSION", "1")
        self.never_ready = os.environ.get("DEMO_BROKEN") == "never-ready"
        self.answered = 0
        self.created = 0
        self.leaked = []
        self.services = service_list()
        self.routes = {
            ("GET", "/"): self.index,
            ("GET", "/api/services"): self.list_services,
            ("POST", "/api/services"): self.create_service,
            ("GET", "/api/vendors"): self.list_vendors,
            ("GET", "/healthz"): self.health,
            ("GET", "/counts"): self.counts,
            ("GET", "/slow"): self.slow,
            ("GET", "/crash"): self.crash,
            ("GET", "/leak"): self.leak,
        }

    async def answer(self, request):
        method = "GET" if request.method == "HEAD" else request.method
        handler = self.routes.get((method, request.path))
        if handler:
            return await handler(request)
        if any(path == request.path for _, path in self.routes):
            return 405, {"error": "method not allowed"}
        return 404, {"error": "not found"}

    async def index(self, _request):
        return 200, {"app": "demo", "version": self.version, "pid": os.getpid()}

    async def list_services(self, _request):
        await asyncio.sleep(DATABASE_DELAY)
        return 200, self.services

    async def create_service(self, request):
        try:
            service = json.loads(request.body or b"{}")
        except ValueError:
            return 400, {"error": "the body is not JSON"}
        await asyncio.sleep(DATABASE_DELAY)
        self.created += 1
        return 201, {"created": service, "count": self.created}

    async def list_vendors(self, _request):
        return 200, {"vendors": VENDORS, "count": len(VENDORS)}

    async def health(self, _request):
        if self.never_ready:
            return 503, {"status": "not ready", "version": self.version}
        return 200, {"status": "ok", "version": self.version, "pid": os.getpid()}

    async def counts(self, _request):
        return 200, {"pid": os.getpid(), "requests": self.answered, "created": self.created}

    async def slow(self, request):
        try:
            delay_ms = int(request.query.get("ms", ["2000"])[0])
        except ValueError:
            return 400, {"error": "ms is not a number"}
        await asyncio.sleep(max(delay_ms, 0) / 1000)
        return 200, {"slept_ms": delay_ms, "pid": os.getpid()}

    async def crash(self, _request):
        print("crash: as asked", file=sys.stderr, flush=True)
        os._exit(1)

    async def leak(self, _request):
        # Not zeroes: pages of zeroes would cost nothing.
        self.leaked.append(b"\xa5" * LEAK_BYTES)
        return 200, {"leaked_mb": len(self.leaked) * LEAK_BYTES // (1024 * 1024)}


def encode(status, value, keep_alive, with_body):
    body = json.dumps(value, separators=(",", ":")).encode()
    head = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n")
    return head.encode() + (body if with_body else b"")


class Server:
    """Connections. One of which no byte of a next request has come is idle: stop() closes it."""

    def __init__(self, app):
        self.app = app
        self.connections = set()
        self.idle = set()
        self.stopping = False

    def accept(self, reader, writer):
        task = asyncio.ensure_future(self.serve(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def serve(self, reader, writer):
        try:
            while not self.stopping:
                self.idle.add(writer)
                first = await reader.read(1)
                self.idle.discard(writer)
                request = first and await read_request(reader, first)
                if not request or not await self.respond(request, writer):
                    break
        except BadRequest as refusal:
            writer.write(encode(refusal.status, {"error": str(refusal)}, False, True))
        except ConnectionError:
            pass  # the client left in the middle of its answer
        finally:
            self.idle.discard(writer)
            writer.close()

    async def respond(self, request, writer):
        """Answers one request; False when the connection ends with it."""
        status, value = await self.app.answer(request)
        keep_alive = request.keep_alive and not self.stopping
        writer.write(encode(status, value, keep_alive, request.method != "HEAD"))
        await writer.drain()
        if request.path not in UNCOUNTED:
            self.app.answered += 1
        return keep_alive

    async def stop(self, listener):
        self.stopping = True
        listener.close()
        for writer in list(self.idle):
            writer.close()
        if self.connections:
            await asyncio.wait(self.connections)


async def main():
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    app = App()
    server = Server(app)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = await asyncio.start_server(server.accept, host, port, limit=HEAD_MAX, backlog=1024)
    print(f"demo {app.version}: pid {os.getpid()} listens on {host}:{port}", flush=True)
    await stop.wait()
    await server.stop(listener)
    print(f"demo {app.version}: pid {os.getpid()} ends after {app.answered} requests, "
          f"{app.created} created", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except OSError as error:
        sys.exit(f"demo: {error}")
