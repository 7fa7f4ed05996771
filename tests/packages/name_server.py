"""A network of its own for one command: a DNS server that knows one name, and a web server that answers 403 and says
who was asked.

    unshare --net /usr/bin/python3 name_server.py NAME [--tls CERTIFICATE KEY] -- COMMAND...

Prints one JSON line: the command's exit code and stderr, the names that DNS was asked, the Host of each HTTP request.
The web server listens on port 9000 of 127.0.0.1.
"""

import fcntl
import http.server
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading

PORT = 9000


def raise_loopback():
    up = 1
    set_flags = 0x8914  # SIOCSIFFLAGS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def question_of(query):
    """The name in a query, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), at + 5


def answer_of(query, known):
    name, end = question_of(query)
    wants_address = struct.unpack(">H", query[end - 4 : end - 2])[0] == 1
    found = name == known and wants_address
    code = 0x8180 if name == known else 0x8183  # no such name
    head = query[:2] + struct.pack(">HHHHH", code, 1, int(found), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, socket.inet_aton("127.0.0.1"))
    return name, head + query[12:end] + (record if found else b"")


def serve_names(known, asked):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def loop():
        while True:
            query, client = server.recvfrom(512)
            name, answer = answer_of(query, known)
            asked.append(name)
            server.sendto(answer, client)

    threading.Thread(target=loop, daemon=True).start()


def serve_web(tls, hosts):
    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hosts.append(self.headers["Host"])
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_HEAD = do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Refuse)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    mark = sys.argv.index("--")
    name, *tls = [word for word in sys.argv[1:mark] if word != "--tls"]
    raise_loopback()
    asked, hosts = [], []
    serve_names(name, asked)
    serve_web(tls, hosts)
    done = subprocess.run(sys.argv[mark + 1 :], capture_output=True, text=True, check=False, timeout=100)
    print(json.dumps({"code": done.returncode, "err": done.stderr, "asked": sorted(set(asked)), "hosts": hosts}))


if __name__ == "__main__":
    main()
