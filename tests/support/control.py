"""The supervisor's side of the control socket, for tests of the processes that register there."""

import array
import json
import os
import socket
import threading


class Supervisor:
    """control.sock: answers `register`, remembers what else it hears."""

    def __init__(self, folder, answer):
        self.path = os.path.join(folder, "control.sock")
        self.answer = answer  # a function without arguments
        self.acked = []
        self.events = []
        self.registered = 0
        self.current = None
        self.listen()

    def listen(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        threading.Thread(target=self._accept, args=(self.socket,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock, sock.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if message["cmd"] == "register":
                    answer = {"id": message["id"], "ok": True, **self.answer()}
                    self.current = sock  # before the process can tell anybody that it is ready
                    self.registered += 1
                    sock.sendall(json.dumps(answer).encode() + b"\n")
                elif message["cmd"] == "endpoints_ack":
                    self.acked.append(message["args"]["generation"])
                elif message["cmd"] == "event":
                    self.events.append(message["args"])
            if self.current is sock:
                self.current = None

    def push(self, command, args, fd=None):
        line = json.dumps({"cmd": command, "args": args}).encode() + b"\n"
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                         array.array("i", [fd]))]
        self.current.sendmsg([line], rights)

    def die(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)
        if self.current:
            self.current.shutdown(socket.SHUT_RDWR)
        self.current = None
