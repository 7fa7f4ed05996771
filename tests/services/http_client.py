"""One HTTP request and its reply, without retries or redirects."""

import http.client
import ssl
from collections import namedtuple
from urllib.parse import urlsplit

Reply = namedtuple("Reply", "status headers body")  # headers: by name in any case


def connect(url, ca_file=None, timeout=30):
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def send(url, method="GET", headers=None, body=b"", ca_file=None, timeout=30):
    """The reply to one request on a new connection. Raises OSError or http.client.HTTPException."""
    parts = urlsplit(url)
    connection = connect(url, ca_file, timeout)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body or None, headers or {})
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def expect(reply, *statuses):
    """The reply, if it has one of these statuses (none given: any 2xx)."""
    accepted = reply.status in statuses if statuses else 200 <= reply.status < 300
    assert accepted, f"HTTP {reply.status}: {reply.body[:1000]!r}"
    return reply
