"""The faults of a FaultProxy. Each function makes one fault, named after the function.

Faults that send their own reply take `applied`: whether the real server receives the request too.
"""

import functools
import time

from services.http_client import Reply


def _fault(make):
    """Sets the name of the fault that `make` returns to the name of `make`."""

    @functools.wraps(make)
    def named(*arguments, **options):
        fault = make(*arguments, **options)
        fault.__name__ = make.__name__
        return fault

    return named


def _xml_error(code):
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>scripted</Message></Error>'
    return text.encode()


@_fault
def answer(status, code, applied=False, body=None, content_type="application/xml", **headers):
    """A reply with any status and the XML of an S3 error, or another body. Headers as keywords, `_` for `-`."""
    content = _xml_error(code) if body is None else body
    given = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}

    def fault(exchange):
        if applied:
            exchange.forward()
        exchange.send(Reply(status, given, content))

    return fault


@_fault
def internal_error(applied=False):
    return answer(500, "InternalError", applied)


@_fault
def slow_down(retry_after=1):
    return answer(503, "SlowDown", Retry_After=str(retry_after))


@_fault
def too_many_requests(retry_after=1):
    return answer(429, "TooManyRequests", Retry_After=str(retry_after))


@_fault
def expired_token():
    return answer(403, "ExpiredToken")


@_fault
def unauthorized():
    """Google's reply to an invalid or expired token."""
    body = b'{"error":{"code":401,"message":"Invalid Credentials","errors":[{"reason":"authError"}]}}'
    return answer(401, "", body=body, content_type="application/json")


@_fault
def conflict():
    return answer(409, "ConditionalRequestConflict")


@_fault
def precondition_failed():
    return answer(412, "PreconditionFailed")


@_fault
def unconditional(client):
    """A server that ignores If-None-Match: a put replaces. `client`: an S3Client of the real server."""

    def fault(exchange):
        path = exchange.request.target.partition("?")[0]
        exchange.send(client.request("PUT", path, body=exchange.request.body))

    return fault


@_fault
def error_in_200(code="InternalError", applied=False):
    """An error after the status was sent, as in CompleteMultipartUpload and copies."""
    return answer(200, code, applied)


@_fault
def ingress_404(applied=False):
    """The reply of an ingress that has no backend."""
    return answer(404, "", applied, body=b"404 page not found\n", content_type="text/plain; charset=utf-8")


@_fault
def block_page():
    """The reply of a firewall or a captive portal to a blocked request."""
    return answer(200, "", body=b"<html>This page is blocked.</html>", content_type="text/html")


@_fault
def whole_object(client=None):
    """A server or cache that ignores Range. `client`: an S3Client of the real server, if requests are signed."""

    def fault(exchange):
        if client is None:
            del exchange.request.headers["Range"]
            exchange.send(exchange.forward())
        else:
            exchange.send(client.request("GET", exchange.request.target.partition("?")[0]))

    return fault


@_fault
def redirect(location=None):
    """A 307 to another endpoint; by default to the real server."""

    def fault(exchange):
        target = (location or exchange.proxy.upstream) + exchange.request.target
        exchange.send(Reply(307, {"Location": target, "Content-Type": "application/xml"},
                            _xml_error("TemporaryRedirect")))

    return fault


@_fault
def lost_request():
    """The connection closes; the real server receives nothing."""
    return lambda exchange: exchange.drop()


@_fault
def lost_reply():
    """The real server executes the request; then the connection closes."""

    def fault(exchange):
        exchange.forward()
        exchange.drop()

    return fault


@_fault
def duplicated(answer_with=2):
    """The real server receives the request twice; the client sees the first or the second reply."""

    def fault(exchange):
        replies = [exchange.forward(), exchange.forward()]
        exchange.send(replies[answer_with - 1])

    return fault


@_fault
def truncated_body(keep=0.5):
    """Content-Length is correct, but the connection closes after a part of the body."""

    def fault(exchange):
        reply = exchange.forward()
        part = reply.body[: int(len(reply.body) * keep)]
        exchange.send(reply._replace(body=part), content_length=len(reply.body))

    return fault


@_fault
def wrong_bytes():
    """Correct length and headers; one byte in the middle is changed."""

    def fault(exchange):
        reply = exchange.forward()
        body = bytearray(reply.body)
        if body:
            body[len(body) // 2] ^= 0xFF
        exchange.send(reply._replace(body=bytes(body)))

    return fault


@_fault
def stale_list():
    """The newest reply to an earlier request for the same listing; without one, the real reply."""

    def fault(exchange):
        exchange.send(exchange.proxy.lists.get(exchange.request.target) or exchange.forward())

    return fault


@_fault
def delay(seconds):
    """The real reply, delayed."""

    def fault(exchange):
        time.sleep(seconds)
        exchange.send(exchange.forward())

    return fault


@_fault
def stall():
    """No reply; the connection stays open until the proxy ends."""

    def fault(exchange):
        exchange.proxy.closed.wait()
        exchange.drop()

    return fault
