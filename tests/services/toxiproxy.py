"""Toxiproxy, which slows down, closes or stalls connections."""

import json
import uuid

from services.go_program import go_module
from services.http_client import expect, send
from services.server_process import ServerProcess, free_port

VERSION = "v2.5.0"


def install():
    return go_module("toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server", VERSION)


class Toxiproxy(ServerProcess):
    """A context manager: the server that runs proxies, and its control API."""

    def __init__(self, folder):
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__([install(), "-host", "127.0.0.1", "-port", self.port], folder, self._is_ready)

    def _is_ready(self):
        return self.call("GET", "/version") is not None

    def call(self, method, path, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        reply = expect(send(f"http://127.0.0.1:{self.port}{path}", method, body=body))
        return reply.body and reply.body[:1] == b"{" and json.loads(reply.body) or reply.body

    def proxy(self, port):
        """A context manager: a ToxicProxy in front of a port of 127.0.0.1."""
        return ToxicProxy(self, port)


class ToxicProxy:
    """One proxy, listening on `address` and `port`. It forwards bytes, so it also works with HTTPS."""

    def __init__(self, server, upstream_port):
        self.server = server
        self.name = f"proxy-{uuid.uuid4().hex[:8]}"
        self.upstream = f"127.0.0.1:{upstream_port}"
        self.address = self.port = None

    def __enter__(self):
        order = {"name": self.name, "listen": "127.0.0.1:0", "upstream": self.upstream, "enabled": True}
        self.address = self.server.call("POST", "/proxies", order)["listen"]
        self.port = int(self.address.rpartition(":")[2])
        return self

    def __exit__(self, *_):
        self.server.call("DELETE", f"/proxies/{self.name}")

    def enable(self, enabled=True):
        """False: closes its connections and refuses new ones."""
        self.server.call("POST", f"/proxies/{self.name}", {"enabled": enabled})

    def remove(self, toxic):
        self.server.call("DELETE", f"/proxies/{self.name}/toxics/{toxic}")

    def add(self, kind, stream="downstream", toxicity=1.0, **attributes):
        """Adds a toxic and returns its name, for remove(). `stream`: downstream (to the client) or upstream."""
        order = {"type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        return self.server.call("POST", f"/proxies/{self.name}/toxics", order)["name"]

    def latency(self, milliseconds, jitter=0, **options):
        return self.add("latency", latency=milliseconds, jitter=jitter, **options)

    def bandwidth(self, kib_per_second, **options):
        return self.add("bandwidth", rate=kib_per_second, **options)

    def stall(self, **options):
        """No data passes; connections stay open."""
        return self.add("timeout", timeout=0, **options)

    def timeout(self, milliseconds, **options):
        """No data passes; connections are closed after a time."""
        return self.add("timeout", timeout=milliseconds, **options)

    def reset_peer(self, after_milliseconds=0, **options):
        return self.add("reset_peer", timeout=after_milliseconds, **options)

    def limit_data(self, byte_count, **options):
        """Closes a connection after this many bytes."""
        return self.add("limit_data", bytes=byte_count, **options)

    def slow_close(self, milliseconds, **options):
        return self.add("slow_close", delay=milliseconds, **options)
