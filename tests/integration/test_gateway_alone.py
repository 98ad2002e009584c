"""A gateway worker by itself: what it passes on, what it refuses, and how it fails."""

import json
import signal
import socket
import struct
import threading
import time
import unittest

import gateway_alone
from gateway_alone import OK, answering, answering_once, field, pause, unused_port
from gwtest import wait_until


def response(body=b"", *fields, status="200 OK"):
    lines = [f"HTTP/1.1 {status}".encode(), *fields, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nX-Body: until-close\r\n\r\n"


class Forwarding(gateway_alone.Case):
    def test_get(self):
        upstream, gateway = self.serve(answering(response(
            b"hello", b"Server: app/1", b"Date: Mon, 01 Jan 2024 00:00:00 GMT", b"X-Own: a, b",
            b"Set-Cookie: one", b"Set-Cookie: two")))
        status, head, body = self.fetch(gateway, "/a/../b?q=%20", "X-Mine: yes\r\n")
        self.assertEqual((status, body), (200, b"hello"))
        self.assertEqual(len(field(head, "date")), 1)
        self.assertNotIn(b"2024", field(head, "date")[0])
        self.assertEqual(field(head, "server"), [b"app/1"])
        self.assertEqual(field(head, "set-cookie"), [b"one", b"two"])
        self.assertEqual(field(head, "x-own"), [b"a, b"])
        seen = upstream.requests[0][0]
        self.assertTrue(seen.startswith(b"GET /b?q=%20 HTTP/1.1\r\n"), seen)
        self.assertEqual(field(seen, "host"), [b"test"])
        self.assertEqual(field(seen, "x-mine"), [b"yes"])
        self.assertEqual(field(seen, "x-forwarded-for"), [b"127.0.0.1"])

    def test_no_server_field_of_our_own(self):
        _, gateway = self.serve(answering(OK))
        _, head, _ = self.fetch(gateway)
        self.assertEqual(field(head, "server"), [])

    def test_hop_by_hop_fields_stay_where_they_are(self):
        upstream, gateway = self.serve(answering(response(
            b"", b"Keep-Alive: timeout=5", b"Connection: X-Hop", b"X-Hop: 1", b"X-End: 1")))
        _, head, _ = self.fetch(gateway, "/", "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
                                              "TE: trailers\r\nX-Other: 1\r\n")
        self.assertEqual(field(head, "keep-alive") + field(head, "x-hop"), [])
        self.assertEqual(field(head, "x-end"), [b"1"])
        seen = upstream.requests[0][0]
        self.assertEqual(field(seen, "x-mine") + field(seen, "te") + field(seen, "connection"), [])
        self.assertEqual(field(seen, "x-other"), [b"1"])

    def test_post(self):
        upstream, gateway = self.serve(answering(response(b"done", status="201 Created")))
        body = bytes(range(256)) * 4096
        with gateway.client() as client:
            client.send(b"POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body)
            self.assertEqual(client.answer()[0], 201)
        self.assertEqual(upstream.requests[0][1], body)

    def test_post_without_body_says_so(self):
        upstream, gateway = self.serve(answering(OK))
        with gateway.client() as client:
            client.send(b"POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
            client.answer()
        self.assertEqual(field(upstream.requests[0][0], "content-length"), [b"0"])

    def test_chunked_upload_arrives_with_a_length_and_ends_the_connection(self):
        upstream, gateway = self.serve(answering(OK))
        with gateway.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            _, head, _ = client.answer()
            self.assertEqual(field(head, "connection"), [b"close"])
            self.assertTrue(client.is_ended())
        seen, body = upstream.requests[0]
        self.assertEqual(body, b"abcdefg")
        self.assertEqual(field(seen, "content-length"), [b"7"])
        self.assertEqual(field(seen, "transfer-encoding"), [])

    def test_head_and_statuses_without_body(self):
        def script(connection):
            while request := connection.request():
                path = request[0].split()[1]
                if path == b"/none":
                    connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
                elif path == b"/same":
                    connection.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")
                else:
                    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")

        upstream, gateway = self.serve(script)
        with gateway.client() as client:
            client.send(b"HEAD /long HTTP/1.1\r\nHost: t\r\n\r\n")
            status, head, _ = client.answer(to_head=True)
            self.assertEqual((status, field(head, "content-length")), (200, [b"1234"]))
            for path, expected in (("/none", 204), ("/same", 304)):
                client.get(path)
                self.assertEqual(client.answer()[0], expected)
            client.get("/none")
            self.assertEqual(field(client.answer()[1], "content-length"), [])
        self.assertEqual(len(upstream.connections), 1)

    def test_informational_answers_are_skipped(self):
        _, gateway = self.serve(answering(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK))
        self.assertEqual(self.fetch(gateway)[::2], (200, b"ok"))

    def test_chunked_whole_and_in_pieces(self):
        def script(connection):
            while request := connection.request():
                if request[0].startswith(b"GET /whole"):
                    connection.send(CHUNKED + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n")
                    continue
                connection.send(CHUNKED + b"3\r\nab")
                if not released.wait(10):
                    return
                for byte in b"c\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n":
                    connection.send(bytes([byte]))

        released = threading.Event()
        upstream, gateway = self.serve(script)
        with gateway.client() as client:
            client.get("/whole")
            self.assertEqual(client.answer()[2], b"abcde")
            client.get("/pieces")
            _, head = client.head()
            self.assertEqual(field(head, "transfer-encoding"), [b"chunked"])
            released.set()
            body, _ = gateway_alone.read_chunked(client.sock, client.rest)
            self.assertEqual(body, b"abc0123456789abcdef")
            client.rest = b""
            client.get("/whole")
            self.assertEqual(client.answer()[2], b"abcde")
        self.assertEqual(len(upstream.connections), 1)

    def test_a_chunked_error_keeps_the_connection(self):
        def script(connection):
            while connection.request():
                connection.send(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
                pause(0.01)
                connection.send(b"4\r\nnone\r\n0\r\n\r\n")

        _, gateway = self.serve(script)
        with gateway.client() as client:
            for _ in range(2):
                client.get()
                status, head, body = client.answer()
                self.assertEqual((status, body), (404, b"none"))
                self.assertEqual(field(head, "connection"), [b"keep-alive"])

    def test_head_of_a_stream_is_not_held_back(self):
        released = threading.Event()

        def script(connection):
            connection.request()
            connection.send(CHUNKED)
            if not released.wait(10):
                return
            connection.send(b"1\r\nx\r\n0\r\n\r\n")

        _, gateway = self.serve(script)
        with gateway.client() as client:
            client.get()
            self.assertEqual(client.head()[0], 200)
            released.set()
            self.assertEqual(gateway_alone.read_chunked(client.sock, client.rest)[0], b"x")

    def test_until_close(self):
        _, gateway = self.serve(answering_once(UNTIL_CLOSE + b"x" * 100000))
        status, head, body = self.fetch(gateway)
        self.assertEqual((status, body), (200, b"x" * 100000))
        self.assertEqual(field(head, "transfer-encoding"), [b"chunked"])

    def test_http10_client(self):
        upstream, gateway = self.serve(answering_once(UNTIL_CLOSE + b"body"))
        with gateway.client() as client:
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            status, head, body = client.answer()
        self.assertEqual((status, body), (200, b"body"))
        self.assertEqual(field(head, "transfer-encoding"), [])
        self.assertEqual(field(upstream.requests[0][0], "host"),
                         [upstream.url.removeprefix("http://").encode()])

    def test_unix_upstream(self):
        upstream = self.upstream(answering(OK), "app.sock")
        gateway = self.gateway({"app": [upstream.url]})
        with gateway.client() as client:
            for _ in range(3):
                client.get()
                self.assertEqual(client.answer()[::2], (200, b"ok"))
        self.assertEqual(len(upstream.connections), 1)

    def test_routes_and_rewrite(self):
        one, two = self.upstream(answering(response(b"1"))), self.upstream(answering(response(b"2")))
        gateway = self.gateway({"one": [one.url], "two": [two.url]},
                               [{"path": "/one/*", "upstream": "one", "rewrite": "/v2/*"},
                                {"path": "/two", "upstream": "two"}])
        self.assertEqual(self.fetch(gateway, "/one/x?y")[2], b"1")
        self.assertTrue(one.requests[0][0].startswith(b"GET /v2/x?y HTTP/1.1\r\n"))
        self.assertEqual(self.fetch(gateway, "/two")[2], b"2")
        self.assert_problem(self.fetch(gateway, "/two/x"), 404)

    def test_pipelined_requests_are_answered_in_order(self):
        def script(connection):
            while request := connection.request():
                connection.send(response(request[0].split()[1]))

        _, gateway = self.serve(script)
        with gateway.client() as client:
            client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: t\r\n\r\n" % i for i in range(50)))
            for i in range(50):
                self.assertEqual(client.answer()[2], b"/%d" % i)


class Connections(gateway_alone.Case):
    def test_upstream_connections_are_kept(self):
        upstream, gateway = self.serve(answering(OK))
        for _ in range(5):
            self.assertEqual(self.fetch(gateway)[0], 200)
        self.assertEqual(len(upstream.connections), 1)

    def test_connection_close_is_heeded(self):
        upstream, gateway = self.serve(answering(response(b"", b"Connection: close")))
        for _ in range(3):
            self.assertEqual(self.fetch(gateway)[0], 200)
        self.assertEqual(len(upstream.connections), 3)

    def test_idle_connections_age(self):
        upstream, gateway = self.serve(answering(OK), keepalive_timeout="100ms")
        self.fetch(gateway)
        wait_until(upstream.connections[0].gone.is_set, what="the end of the idle connection")

    def test_a_stale_connection_costs_no_idempotent_request(self):
        def script(connection):
            if connection.request():
                connection.send(OK)
            if connection.request():  # the connection ends without an answer
                return

        upstream, gateway = self.serve(script)
        self.assertEqual(self.fetch(gateway)[0], 200)
        self.assertEqual(self.fetch(gateway)[0], 200)
        self.assertEqual(len(upstream.requests), 3)

    def test_bytes_behind_an_answer_are_not_the_next_answer(self):
        """They lie in the kernel when the next request comes, which the stopped worker gets first."""
        release = threading.Event()

        def script(connection):
            if connection.request():
                connection.send(OK)
            release.wait(10)
            connection.send(response(b"evil"))
            connection.wait_gone()

        def serve_both(connection):
            with lock:
                first = not firsts
                firsts.append(connection)
            (script if first else answering(OK))(connection)

        lock, firsts = threading.Lock(), []
        upstream, gateway = self.serve(serve_both)
        with gateway.client() as client:
            client.get()
            client.answer()
            gateway.signal(signal.SIGSTOP)
            try:
                client.get()
                pause(0.05)
                release.set()
                pause(0.05)
            finally:
                gateway.signal(signal.SIGCONT)
            self.assertEqual(client.answer()[::2], (200, b"ok"))
        self.assertEqual(len(upstream.connections), 2)

    def test_a_request_that_an_interim_answer_was_given_to_is_not_sent_twice(self):
        def script(connection):
            if connection.request():
                connection.send(OK)
            if connection.request():
                connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                pause(0.05)

        upstream, gateway = self.serve(script)
        self.assertEqual(self.fetch(gateway)[0], 200)
        self.assert_problem(self.fetch(gateway), 502)
        self.assertEqual(len(upstream.requests), 2)

    def test_a_post_is_not_sent_twice(self):
        def script(connection):
            if connection.request():
                connection.send(OK)
            connection.request()

        upstream, gateway = self.serve(script)
        self.fetch(gateway)
        with gateway.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx")
            self.assert_problem(client.answer(), 502)
        self.assertEqual(len(upstream.requests), 2)

    def test_requests_go_round_and_past_a_dead_endpoint(self):
        one, two = self.upstream(answering(response(b"1"))), self.upstream(answering(response(b"2")))
        dead = f"http://127.0.0.1:{unused_port()}"
        gateway = self.gateway({"app": [one.url, dead, two.url]})
        bodies = {self.fetch(gateway)[2] for _ in range(6)}
        self.assertEqual(bodies, {b"1", b"2"})
        with gateway.client() as client:
            for _ in range(3):
                client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx")
                self.assertEqual(client.answer()[0], 200)

    def test_requests_find_the_one_endpoint_that_lives(self):
        live = self.upstream(answering(OK))
        dead = [f"http://127.0.0.1:{unused_port()}" for _ in range(7)]
        gateway = self.gateway({"app": [*dead, live.url]})
        self.assertEqual([self.fetch(gateway)[0] for _ in range(16)], [200] * 16)

    def test_an_endpoint_that_does_not_even_refuse_is_passed_over(self):
        live = self.upstream(answering(OK))
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            gateway = self.gateway({"app": {
                "servers": [f"http://127.0.0.1:{address[1]}", live.url],
                "connect_timeout": "1s"}})
            begun = time.monotonic()
            self.assertEqual([self.fetch(gateway)[0] for _ in range(6)], [200] * 6)
            self.assertLess(time.monotonic() - begun, 1)
            for filler in fillers:
                filler.close()

    def test_descriptors_do_not_leak(self):
        _, gateway = self.serve(answering(response(b"", b"Connection: close")))
        self.fetch(gateway)
        before = gateway.descriptors()
        for _ in range(30):
            self.fetch(gateway)
        wait_until(lambda: gateway.descriptors() <= before, what="the descriptors' end")


class Failures(gateway_alone.Case):
    def test_refused(self):
        gateway = self.gateway({"app": [f"http://127.0.0.1:{unused_port()}"]})
        answer = self.fetch(gateway)
        self.assert_problem(answer, 502)
        self.assertNotIn(b"127.0.0.1", answer[2])

    def test_missing_unix_socket(self):
        gateway = self.gateway({"app": [f"unix:{self.folder}/none.sock"]})
        self.assert_problem(self.fetch(gateway), 502)

    def test_nonsense_is_no_answer(self):
        for nonsense in (b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                         b"Content-Length: 2\r\n\r\nab", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                         b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", b"HTTP/1.1 2"):
            with self.subTest(nonsense):
                _, gateway = self.serve(answering_once(nonsense))
                self.assert_problem(self.fetch(gateway), 502)

    def test_silence_is_a_timeout(self):
        def script(connection):
            connection.request()
            connection.wait_gone()

        upstream, gateway = self.serve(script, first_byte_timeout="300ms")
        self.assert_problem(self.fetch(gateway), 504)
        wait_until(upstream.connections[0].gone.is_set, what="the end of the upstream request")

    def test_interim_answers_do_not_prolong_it(self):
        def script(connection):
            connection.request()
            for _ in range(40):
                connection.send(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 103 Early")
                pause(0.1)
                connection.send(b" Hints\r\n\r\n")

        _, gateway = self.serve(script, first_byte_timeout="400ms", read_timeout="10s")
        begun = time.monotonic()
        self.assert_problem(self.fetch(gateway), 504)
        self.assertLess(time.monotonic() - begun, 2)

    def test_an_answer_behind_interim_ones_has_its_own_time(self):
        def script(connection):
            connection.request()
            connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200")
            pause(0.6)
            connection.send(b" OK\r\nContent-Length: 2\r\n\r\nok")
            connection.wait_gone()

        _, gateway = self.serve(script, first_byte_timeout="300ms")
        self.assertEqual(self.fetch(gateway)[::2], (200, b"ok"))

    def test_a_full_backlog_is_a_timeout(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            gateway = self.gateway({"app": {"servers": [f"http://127.0.0.1:{address[1]}"],
                                            "connect_timeout": "300ms"}})
            self.assert_problem(self.fetch(gateway), 504)
            for filler in fillers:
                filler.close()

    def test_a_large_body_is_refused(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, max_body="1K")
        for framing in (b"Content-Length: 2000\r\n\r\n",
                        b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000):
            with gateway.client() as client:
                client.send(b"POST / HTTP/1.1\r\nHost: t\r\n" + framing)
                self.assert_problem(client.answer(), 413)
        self.assertEqual(upstream.requests, [])

    def test_a_body_may_be_as_long_as_the_limit(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, max_body="64K")
        limit = 65536

        def send(client, size, piece):
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\n")
            if piece is None:
                client.send(b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
                return
            chunks = [min(piece, size - at) for at in range(0, size, piece)]
            client.send(b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
                b"%x\r\n" % length + b"x" * length + b"\r\n" for length in chunks) +
                b"0\r\n\r\n")

        for piece in (None, limit + 1, 1000, 7):
            with self.subTest(piece), gateway.client() as client:
                send(client, limit, piece)
                self.assertEqual(client.answer()[0], 200)
            with self.subTest(piece), gateway.client() as client:
                send(client, limit + 1, piece)
                self.assert_problem(client.answer(), 413)
        self.assertEqual({len(body) for _, body in upstream.requests}, {limit})

    def test_errors_of_the_library_look_like_ours(self):
        upstream, gateway = self.serve(answering(OK))
        post = b"POST / HTTP/1.1\r\nHost: t\r\n"
        for request, status in ((b"Expect: foo\r\nContent-Length: 3\r\n\r\nabc", 417),
                                (b"Transfer-Encoding: gzip\r\n\r\n", 400),
                                (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
                                (b"Content-Length: -1\r\n\r\n", 400)):
            with self.subTest(request), gateway.client() as client:
                client.send(post + request)
                self.assert_problem(client.answer(), status)
                self.assertTrue(client.is_ended())
        self.assertEqual(upstream.requests, [])

    def truncated(self, answer, **keys):
        """The client's side of an answer that the upstream cut off."""
        _, gateway = self.serve(answering_once(answer), **keys)
        return gateway.client()

    def test_truncated_length(self):
        with self.truncated(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 40000) as client:
            client.get()
            self.assertRaises((EOFError, ConnectionResetError), client.answer)

    def test_truncated_small_answer_is_an_error_page(self):
        with self.truncated(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort") as client:
            client.get()
            self.assert_problem(client.answer(), 502)

    def test_truncated_chunks(self):
        for body in (b"3\r\nabc\r\n", b"5\r\nabc", b"3\r\nabc\r\n0\r\n", b"3\r\nabc"):
            def script(connection, body=body):
                connection.request()
                connection.send(CHUNKED)
                pause(0.01)
                connection.send(body)

            with self.subTest(body):
                _, gateway = self.serve(script)
                with gateway.client() as client:
                    client.get()
                    self.assertRaises((EOFError, ConnectionResetError), client.answer)

    def test_broken_framing_in_the_middle(self):
        def script(connection):
            connection.request()
            connection.send(CHUNKED + b"3\r\nabc\r\n")
            pause(0.05)
            connection.send(b"zz\r\nabc\r\n0\r\n\r\n")

        _, gateway = self.serve(script)
        with gateway.client() as client:
            client.get()
            self.assertRaises((EOFError, ConnectionResetError), client.answer)

    def test_stalled_answer(self):
        def script(connection):
            connection.request()
            connection.send(CHUNKED + b"3\r\nabc\r\n")
            connection.wait_gone()

        upstream, gateway = self.serve(script, read_timeout="300ms")
        with gateway.client() as client:
            client.get()
            self.assertRaises((EOFError, ConnectionResetError), client.answer)
        wait_until(upstream.connections[0].gone.is_set, what="the end of the upstream request")

    def test_a_reset_does_not_complete_a_body_without_length(self):
        def script(connection):
            connection.request()
            connection.send(UNTIL_CLOSE + b"x" * 1000)
            pause(0.2)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))

        _, gateway = self.serve(script)
        for request in (b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
            with self.subTest(request), gateway.client() as client:
                client.send(request)
                self.assertRaises((EOFError, ConnectionResetError), client.answer)

    def test_a_reset_on_a_unix_socket_does_not_complete_it_either(self):
        def script(connection):
            gateway_alone.read_head(connection.sock)
            connection.send(UNTIL_CLOSE + b"first half")
            pause(0.2)  # and then it closes, with the body unread

        upstream = self.upstream(script, "app.sock")
        gateway = self.gateway({"app": [upstream.url]})
        with gateway.client() as client:
            body = b"x" * 1_000_000
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body)
            self.assertRaises((EOFError, ConnectionResetError), client.answer)

    def test_until_close_on_a_unix_socket(self):
        upstream = self.upstream(answering_once(UNTIL_CLOSE + b"whole"), "app.sock")
        gateway = self.gateway({"app": [upstream.url]})
        self.assertEqual(self.fetch(gateway)[::2], (200, b"whole"))

    def test_more_than_the_length_is_not_passed_on(self):
        upstream, gateway = self.serve(answering(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil"))
        with gateway.client() as client:
            for _ in range(2):
                client.get()
                self.assertEqual(client.answer()[::2], (200, b"ok"))
        self.assertEqual(len(upstream.connections), 2)

    def test_an_early_answer_ends_the_upload(self):
        def script(connection):
            gateway_alone.read_head(connection.sock)
            connection.send(response(b"too much", b"Connection: close", status="413 No"))
            connection.wait_gone()

        _, gateway = self.serve(script)
        with gateway.client() as client:
            body = b"x" * 8_000_000
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body)
            self.assertEqual(client.answer()[::2], (413, b"too much"))


class Clients(gateway_alone.Case):
    def test_a_client_that_goes_away_cancels_its_request(self):
        def script(connection):
            connection.request()
            connection.wait_gone()

        upstream, gateway = self.serve(script)
        with gateway.client() as client:
            client.get()
            wait_until(lambda: upstream.requests, what="the upstream request")
        wait_until(upstream.connections[0].gone.is_set, what="the end of the upstream request")
        self.assertEqual(self.fetch(gateway, "/health/live")[0], 200)

    def test_a_client_that_goes_away_within_the_body(self):
        def script(connection):
            connection.request()
            connection.send(CHUNKED + b"1\r\nx\r\n")
            connection.wait_gone()

        upstream, gateway = self.serve(script)
        with gateway.client() as client:
            client.get()
            client.head()
        wait_until(upstream.connections[0].gone.is_set, what="the end of the upstream request")

    def test_a_slow_client_does_not_fill_the_memory(self):
        size, sent = 64 << 20, []

        def script(connection):
            connection.request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            piece = b"x" * (1 << 20)
            for _ in range(size >> 20):
                connection.send(piece)
                sent.append(len(piece))

        upstream, gateway = self.serve(script)
        before = gateway.memory()
        with gateway.client(receive_buffer=65536) as client:
            client.get()
            client.head()
            wait_until(lambda: sent and not _grows(sent), limit=30, what="back-pressure")
            self.assertLess(sum(sent), size // 2)
            self.assertLess(gateway.memory() - before, 16 << 20)
            received = len(client.rest)
            while received < size:
                piece = client.sock.recv(1 << 20)
                self.assertNotEqual(piece, b"")
                received += len(piece)
        self.assertEqual(len(upstream.requests), 1)

    def test_smuggling_is_refused(self):
        upstream, gateway = self.serve(answering(OK))
        base = b"POST / HTTP/1.1\r\nHost: t\r\n"
        for request in (base + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        base + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                        b"GET / HTTP/1.1\r\n\r\n",
                        b"GET / HTTP/1.1\nHost: t\n\n",
                        b"GET / HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n\r\n",
                        b"GET /%00 HTTP/1.1\r\nHost: t\r\n\r\n",
                        b"GET /../x HTTP/1.1\r\nHost: t\r\n\r\n",
                        b"GET /a\\b HTTP/1.1\r\nHost: t\r\n\r\n"):
            with self.subTest(request), gateway.client() as client:
                client.send(request + b"GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n")
                answer = client.answer()
                self.assert_problem(answer, 400)
                self.assertEqual(field(answer[1], "connection"), [b"close"])
                self.assertTrue(client.is_ended())
        self.assertEqual(upstream.requests, [])

    def test_chunks_that_others_read_otherwise_are_refused(self):
        upstream, gateway = self.serve(answering(OK))
        for body in (b"0x3\r\nabc\r\n0\r\n\r\n", b"3\nabc\r\n0\r\n\r\n", b"3 \r\nabc\r\n0\r\n\r\n",
                     b"3\r\nabc\r\n0\r\nX: \0\r\n\r\n"):
            with self.subTest(body), gateway.client() as client:
                client.send(b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
                self.assert_problem(client.answer(), 400)
                self.assertTrue(client.is_ended())
        self.assertEqual(upstream.requests, [])

    def test_rubbish_is_refused(self):
        _, gateway = self.serve(answering(OK))
        for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\r\n\r\n\r\n\r\n\r\n"):
            with self.subTest(rubbish), gateway.client() as client:
                client.send(rubbish + b"\r\n\r\n")
                self.assertIn(client.to_end()[:12], (b"HTTP/1.1 400", b""))

    def test_no_http2_on_clear_text(self):
        upstream, gateway = self.serve(answering(OK))
        with gateway.client() as client:
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            self.assertEqual(client.head()[0], 400)
        self.assert_problem(self.fetch(gateway, "/", "Connection: Upgrade, HTTP2-Settings\r\n"
                                       "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), 400)
        self.assertEqual(upstream.requests, [])

    def test_other_upgrades_are_declined(self):
        upstream, gateway = self.serve(answering(OK))
        self.assertEqual(self.fetch(gateway, "/", "Connection: Upgrade\r\n"
                                                  "Upgrade: other\r\n")[0], 200)
        self.assertEqual(field(upstream.requests[0][0], "upgrade"), [])

    def test_options_of_the_server_itself(self):
        upstream, gateway = self.serve(answering(OK))
        with gateway.client() as client:
            for target in (b"*", b"http://other"):
                client.send(b"OPTIONS %s HTTP/1.1\r\nHost: t\r\n\r\n" % target)
                status, head, _ = client.answer()
                self.assertEqual((status, field(head, "connection")), (204, [b"keep-alive"]))
                self.assertEqual(field(head, "content-length") +
                                 field(head, "transfer-encoding"), [])
        self.assertEqual(upstream.requests, [])

    def test_an_idle_client_is_let_go(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, keepalive_timeout="500ms")
        with gateway.client() as client:
            client.get()
            client.answer()
            self.assertTrue(client.is_ended())

    def test_keepalive_can_be_switched_off(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, keepalive_timeout=0)
        with gateway.client() as client:
            client.get()
            self.assertEqual(field(client.answer()[1], "connection"), [b"close"])
            self.assertTrue(client.is_ended())


class Addresses(gateway_alone.Case):
    def setUp(self):
        super().setUp()
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6")

    def test_all_addresses(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, host="*")
        for host in ("127.0.0.1", "::1"):
            self.assertEqual(self.fetch(gateway, host=host)[0], 200)
        self.assertEqual([field(head, "x-forwarded-for") for head, _ in upstream.requests],
                         [[b"127.0.0.1"], [b"::1"]])

    def test_all_of_ipv4_only(self):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]}, host="0.0.0.0")
        self.assertEqual(self.fetch(gateway)[0], 200)
        self.assertRaises(ConnectionRefusedError, self.fetch, gateway, host="::1")


class SlowClients(gateway_alone.Case):
    def serve_with(self, script=answering(OK), **keys):
        upstream = self.upstream(script)
        return upstream, self.gateway({"app": [upstream.url]}, **keys)

    def test_a_slow_but_steady_upload_may_take_any_time(self):
        upstream, gateway = self.serve_with(keepalive_timeout="300ms", head_timeout="300ms",
                                            body_timeout="600ms")
        for framing, piece, end in ((b"Content-Length: 20", b"x", b""),
                                    (b"Transfer-Encoding: chunked", b"1\r\nx\r\n", b"0\r\n\r\n")):
            with self.subTest(framing), gateway.client() as client:
                client.send(b"POST / HTTP/1.1\r\nHost: t\r\n" + framing + b"\r\n\r\n")
                for _ in range(20):
                    pause(0.1)
                    client.send(piece)
                client.send(end)
                self.assertEqual(client.answer()[0], 200)
        self.assertEqual([body for _, body in upstream.requests], [b"x" * 20] * 2)

    def test_a_pause_within_a_body(self):
        upstream, gateway = self.serve_with(body_timeout="300ms")
        with gateway.client() as client:
            client.get()  # a request before, whose end must not count
            client.answer()
            pause(0.5)
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nxyz")
            answer = client.answer()
            self.assert_problem(answer, 408)
            self.assertEqual(field(answer[1], "connection"), [b"close"])
            self.assertEqual(len(field(answer[1], "date")), 1)
            self.assertTrue(client.is_ended())
        self.assertEqual(len(upstream.requests), 1)

    def test_a_head_that_does_not_end(self):
        _, gateway = self.serve_with(head_timeout="400ms")
        begun = time.monotonic()
        with gateway.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: t\r\n")
            try:
                for _ in range(40):
                    client.send(b"X: y\r\n")
                    pause(0.05)
                    if client.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                        break
            except BlockingIOError:
                pass
            self.assert_problem(client.answer(), 408)
            self.assertLess(time.monotonic() - begun, 2)

    def test_a_connection_that_asks_nothing_ends_silently(self):
        _, gateway = self.serve_with(head_timeout="300ms")
        with gateway.client() as client:
            self.assertTrue(client.is_ended())

    def test_the_time_between_two_requests_is_not_that_of_a_request(self):
        _, gateway = self.serve_with(keepalive_timeout="10s", head_timeout="200ms",
                                     body_timeout="200ms", send_timeout="200ms")
        with gateway.client() as client:
            for _ in range(2):
                client.get()
                self.assertEqual(client.answer()[0], 200)
                pause(0.8)

    def large(self, **keys):
        """A gateway with an answer of 16 MB behind it, and a client that has its head."""
        size = 16 << 20

        def script(connection):
            connection.request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            connection.send(bytes(size))

        _, gateway = self.serve_with(script, **keys)
        client = gateway.client(receive_buffer=65536)
        self.addCleanup(client.sock.close)
        client.get()
        client.head()
        return client, size

    def test_a_client_may_pause_reading(self):
        client, size = self.large(keepalive_timeout="200ms", body_timeout="200ms",
                                  head_timeout="200ms", send_timeout="10s")
        pause(1)
        self.assertEqual(len(client.exactly(size)), size)

    def test_a_client_that_reads_a_little_all_the_time(self):
        client, size = self.large(send_timeout="1s")
        for _ in range(15):
            client.exactly(65536)
            pause(0.2)
        rest = size - 15 * 65536
        self.assertEqual(len(client.exactly(rest)), rest)

    def test_a_client_that_reads_nothing(self):
        client, size = self.large(send_timeout="500ms")
        pause(1.5)
        self.assertRaises((EOFError, ConnectionResetError), client.exactly, size)


class Health(gateway_alone.Case):
    def test_live_and_ready(self):
        _, gateway = self.serve(answering(OK))
        status, head, body = self.fetch(gateway, "/health/live")
        live = json.loads(body)
        self.assertEqual((status, live["status"]), (200, "alive"))
        self.assertRegex(live["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(field(head, "content-type"), [b"application/json"])
        status, _, body = self.fetch(gateway, "/health/ready")
        ready = json.loads(body)
        self.assertEqual((status, ready["status"]), (200, "ready"))
        self.assertTrue(ready["checks"]["app"]["healthy"])
        self.assertIsInstance(ready["checks"]["app"]["message"], str)

    def test_other_methods(self):
        _, gateway = self.serve(answering(OK))
        with gateway.client() as client:
            client.send(b"HEAD /health/live HTTP/1.1\r\nHost: t\r\n\r\n")
            self.assertEqual(client.answer(to_head=True)[0], 200)
            client.send(b"POST /health/live HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
            answer = client.answer()
        self.assert_problem(answer, 405)
        self.assertEqual(field(answer[1], "allow"), [b"GET, HEAD"])

    def test_an_app_without_processes(self):
        gateway = self.gateway({"app": {"app": "api"}},
                               apps=[{"name": "api", "script": "/bin/true", "port": "auto"}])
        answer = self.fetch(gateway)
        self.assert_problem(answer, 503)
        self.assertEqual(field(answer[1], "retry-after"), [b"1"])
        status, _, body = self.fetch(gateway, "/health/ready")
        self.assertEqual(status, 503)
        self.assertFalse(json.loads(body)["checks"]["app"]["healthy"])


class Drain(gateway_alone.Case):
    def held(self):
        """A gateway with one request in flight: (gateway, its client, what lets it go on)."""
        released = threading.Event()

        def script(connection):
            while connection.request():
                released.wait(20)
                connection.send(OK)

        upstream, gateway = self.serve(script)
        client = gateway.client()
        self.addCleanup(client.sock.close)
        client.get()
        wait_until(lambda: upstream.requests, what="the upstream request")
        return gateway, client, released

    def refuses(self, gateway):
        try:
            gateway.client().sock.close()
            return False
        except ConnectionResetError:
            return False  # it was in the queue when the listener closed
        except ConnectionRefusedError:
            return True

    def test_a_request_in_flight_is_answered(self):
        gateway, client, released = self.held()
        gateway.signal()
        wait_until(lambda: self.refuses(gateway), what="the end of accepting")
        released.set()
        status, head, body = client.answer()
        self.assertEqual((status, body), (200, b"ok"))
        self.assertEqual(field(head, "connection"), [b"close"])
        self.assertTrue(client.is_ended())
        self.assertEqual(gateway.wait(), 0)

    def test_kept_connections_hear_close_and_idle_ones_end(self):
        gateway, client, released = self.held()
        used, idle = gateway.client(), gateway.client()
        for other in (used, idle):
            other.get("/health/ready")
            self.assertEqual(other.answer()[0], 200)
        gateway.signal()
        wait_until(lambda: self.refuses(gateway), what="the end of accepting")
        used.get("/health/ready")
        status, head, _ = used.answer()
        self.assertEqual((status, field(head, "connection")), (503, [b"close"]))
        self.assertTrue(used.is_ended())
        self.assertTrue(idle.is_ended())
        self.assertIsNone(gateway.process.poll())
        released.set()
        self.assertEqual(client.answer()[0], 200)
        self.assertEqual(gateway.wait(), 0)
        for other in (used, idle):
            other.sock.close()

    def test_a_second_signal_ends_at_once(self):
        gateway, client, _ = self.held()
        gateway.signal()
        wait_until(lambda: self.refuses(gateway), what="the end of accepting")
        gateway.signal(signal.SIGINT)
        answer = client.answer()
        self.assert_problem(answer, 503)
        self.assertEqual(gateway.wait(), 0)

    def test_the_deadline_ends_it(self):
        def script(connection):
            connection.request()
            connection.send(CHUNKED + b"1\r\nx\r\n")
            connection.wait_gone()

        upstream = self.upstream(script)
        gateway = self.gateway({"app": [upstream.url]}, kill_timeout="1s")
        with gateway.client() as client:
            client.get()
            client.head()
            gateway.signal()
            self.assertRaises((EOFError, ConnectionResetError), gateway_alone.read_chunked,
                              client.sock, client.rest)
        self.assertEqual(gateway.wait(), 0)


def _grows(values, seconds=0.5):
    """Does the list still grow?"""
    before = len(values)
    pause(seconds)
    return len(values) > before


if __name__ == "__main__":
    unittest.main(verbosity=2)
