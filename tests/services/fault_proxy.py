"""A reverse proxy of one HTTP server that injects faults into requests, by rules that the test sets.

    with FaultProxy(minio.endpoint) as proxy:
        proxy.on(faults.lost_reply(), method="PUT", path="/packs/", nth=2)
        ...                                            # the second PUT of a pack arrives; its reply is lost
        assert proxy.spoiled() == ["lost_reply"]

It runs inside the test, reads each request completely, and forwards the Host header, so that signatures stay valid.
"""

import re
import socket
import threading
from collections import namedtuple
from http.client import HTTPException

from services.http_client import Reply, connect
from services.http_server import HttpServer, RequestHandler

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
              "content-length"}
UPSTREAM_SECONDS = 60

Request = namedtuple("Request", "method target headers body")
Seen = namedtuple("Seen", "method target status fault")  # status: sent to the client; None if none was sent


class Rule:
    """Applies a fault to the matching requests numbered from nth to nth + times - 1."""

    def __init__(self, fault, method, path, nth, times):
        self.fault = fault
        self.method = method
        self.path = re.compile(path or "")
        self.numbers = range(nth, 2**63 if times is None else nth + times)
        self.matched = 0

    def counts(self, request):
        return self.method in (None, request.method) and self.path.search(request.target)

    def fires(self):
        self.matched += 1
        return self.matched in self.numbers


class FaultProxy(HttpServer):
    """A context manager; it listens on `endpoint`, with HTTPS if given certificates."""

    def __init__(self, upstream, upstream_ca_file=None, certificates=None):
        super().__init__(_Handler, certificates)
        self.upstream = upstream
        self.upstream_ca_file = upstream_ca_file
        self.requests = []  # Seen; appended before the client sees the end of the request
        self.lists = {}  # the newest reply to each listing
        self.closed = threading.Event()
        self._rules = []
        self._lock = threading.Lock()

    def __exit__(self, *_):
        self.closed.set()
        super().__exit__()

    def on(self, fault, method=None, path=None, nth=1, times=1):
        """Adds a rule. `path`: a regular expression, searched in path and query; `times` None: all from nth on.

        Each rule counts all requests that match it. If several rules apply to a request, the first added wins.
        """
        with self._lock:
            self._rules.append(Rule(fault, method, path, nth, times))

    def clear(self):
        """Removes all rules and clears the recorded requests."""
        with self._lock:
            self._rules.clear()
            self.requests.clear()

    def spoiled(self):
        """The names of the injected faults, in order."""
        return [seen.fault for seen in self.requests if seen.fault]

    def fault_for(self, request):
        with self._lock:
            firing = [rule for rule in self._rules if rule.counts(request) and rule.fires()]
        return firing[0].fault if firing else None

    def forward(self, request):
        """The reply of the real server."""
        connection = connect(self.upstream, self.upstream_ca_file, UPSTREAM_SECONDS)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            if request.body or request.method in ("PUT", "POST"):
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        finally:
            connection.close()
        if reply.status == 200 and is_list(request):
            self.lists[request.target] = reply
        return reply


def is_list(request):
    """Whether the request lists objects of S3 or Google Cloud Storage."""
    path, _, query = request.target.partition("?")
    return request.method == "GET" and bool(re.search(r"(^|&)(list-type|prefix|versions)\b", query) or
                                            re.fullmatch(r"/storage/v1/b/[^/]+/o", path))


class Exchange:
    """One request in progress; a fault forwards it or not, and sends, truncates or drops the reply."""

    def __init__(self, proxy, handler, request, fault):
        self.proxy = proxy
        self.request = request
        self._fault = fault
        self._handler = handler
        self._ended = False

    def _end(self, status):
        if not self._ended:
            self._ended = True
            self.proxy.requests.append(
                Seen(self.request.method, self.request.target, status, self._fault and self._fault.__name__))

    def forward(self):
        return self.proxy.forward(self.request)

    def send(self, reply, content_length=None):
        """`content_length`: a false value for the header; the connection is then closed after the body."""
        self._end(reply.status)
        handler = self._handler
        handler.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in HOP_BY_HOP:
                handler.send_header(name, value)
        length = len(reply.body) if content_length is None else content_length
        if self.request.method == "HEAD":
            length = reply.headers.get("Content-Length", 0)
        if reply.status != 204:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if self.request.method != "HEAD":
            handler.wfile.write(reply.body)
        if content_length is not None:
            self.drop()

    def drop(self):
        """Closes the connection."""
        self._end(None)
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


class _Handler(RequestHandler):
    def _serve(self):
        request = Request(self.command, self.path, self.headers, self.body())
        fault = self.owner.fault_for(request)
        exchange = Exchange(self.owner, self, request, fault)
        try:
            if fault:
                fault(exchange)
            else:
                exchange.send(exchange.forward())
        except (OSError, HTTPException):
            exchange.drop()

    def body(self):
        """The complete body; a partial request must not be forwarded."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self._line().split(b";")[0], 16):
            parts.append(self._exactly(size))
            self._line()
        while self._line().strip():
            pass
        return b"".join(parts)

    def _exactly(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError
        return data

    def _line(self):
        line = self.rfile.readline(1000)
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError
        return line

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _serve
