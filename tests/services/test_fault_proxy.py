"""Each fault of the proxy, as seen by a plain HTTP client and by the server behind the proxy."""

import http.client
import socket
import threading
import time
from collections import namedtuple

import pytest

from services import faults
from services.fault_proxy import FaultProxy, Seen
from services.http_client import expect, send
from services.http_server import HttpServer, RequestHandler
from services.s3_client import error_code

PATH = "/bucket/packs/1"
BODY = bytes(range(256)) * 40


class Upstream(HttpServer):
    """A server that stores PUT bodies, lists them at /?list-type=2, and records all requests."""

    ca_file = None

    def __init__(self):
        super().__init__(_UpstreamHandler)
        self.objects = {}
        self.asked = []


class _UpstreamHandler(RequestHandler):
    def do_PUT(self):
        objects, body = self.owner.objects, self.body()
        exists = self.headers.get("If-None-Match") == "*" and self.path in objects
        if not exists:
            objects[self.path] = body
        self._answer(412 if exists else 200, b"")

    def do_GET(self):
        objects = self.owner.objects
        path, _, query = self.path.partition("?")
        body = "\n".join(sorted(objects)).encode() if "list-type" in query else objects.get(path)
        self._answer(404 if body is None else 200, body or b"")

    do_HEAD = do_GET

    def _answer(self, status, body):
        self.owner.asked.append(f"{self.command} {self.path}")
        self.reply(status, body)


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture
def proxy(upstream, fault_proxy):
    return fault_proxy(upstream)


def put(proxy, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(proxy.endpoint + PATH, "PUT", names, BODY)


def get(proxy, target=PATH):
    return send(proxy.endpoint + target)


def test_without_rules_everything_passes(upstream, proxy):
    assert put(proxy).status == 200
    assert get(proxy).body == BODY
    assert send(proxy.endpoint + PATH, "HEAD").headers["Content-Length"] == str(len(BODY))
    assert get(proxy, "/other").status == 404
    assert upstream.objects == {PATH: BODY}
    assert proxy.requests[0] == Seen("PUT", PATH, 200, None)
    assert proxy.spoiled() == []


def test_a_body_in_parts_arrives_whole(upstream, proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request("PUT", PATH, iter([BODY[:100], BODY[100:]]), encode_chunked=True)
    assert connection.getresponse().read() == b""
    connection.request("GET", PATH)  # on the same connection
    assert connection.getresponse().read() == BODY
    connection.close()
    assert upstream.objects == {PATH: BODY}


@pytest.mark.parametrize("framing", ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1000\r\n"])
def test_half_a_request_is_not_passed_on(upstream, proxy, framing):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        connection.sendall(f"PUT {PATH} HTTP/1.1\r\nHost: test\r\n{framing}half".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert upstream.asked == []


Scripted = namedtuple("Scripted", "fault status code header value", defaults=(None, None))

SCRIPTED = [
    Scripted(faults.internal_error(), 500, "InternalError"),
    Scripted(faults.slow_down(retry_after=7), 503, "SlowDown", "Retry-After", "7"),
    Scripted(faults.too_many_requests(retry_after=2), 429, "TooManyRequests", "Retry-After", "2"),
    Scripted(faults.expired_token(), 403, "ExpiredToken"),
    Scripted(faults.conflict(), 409, "ConditionalRequestConflict"),
    Scripted(faults.precondition_failed(), 412, "PreconditionFailed"),
    Scripted(faults.error_in_200(), 200, "InternalError"),
    Scripted(faults.redirect("http://127.0.0.1:1"), 307, "TemporaryRedirect", "Location", "http://127.0.0.1:1" + PATH),
]


@pytest.mark.parametrize("scripted", SCRIPTED, ids=lambda scripted: scripted.fault.__name__)
def test_an_answer_of_the_proxy_itself(upstream, proxy, scripted):
    proxy.on(scripted.fault, method="PUT")
    reply = put(proxy)
    assert (reply.status, error_code(reply)) == (scripted.status, scripted.code)
    assert reply.headers.get(scripted.header or "none") == scripted.value
    assert upstream.asked == []
    assert proxy.spoiled() == [scripted.fault.__name__]
    assert put(proxy).status == 200


def test_an_error_after_the_server_obeyed(upstream, proxy):
    proxy.on(faults.internal_error(applied=True))
    assert put(proxy).status == 500
    assert upstream.objects == {PATH: BODY}


def test_an_error_in_any_format(proxy):
    proxy.on(faults.answer(503, None, body=b'{"error": {"code": 503}}', content_type="application/json"))
    reply = get(proxy)
    assert (reply.status, reply.headers["content-type"]) == (503, "application/json")
    assert reply.body == b'{"error": {"code": 503}}'


def test_a_redirect_to_the_real_server_works_there(upstream, proxy):
    proxy.on(faults.redirect())
    expect(send(put(proxy).headers["Location"], "PUT", body=BODY))
    assert upstream.objects == {PATH: BODY}


def test_a_lost_request_never_arrives(upstream, proxy):
    proxy.on(faults.lost_request())
    with pytest.raises(http.client.RemoteDisconnected):
        put(proxy)
    assert upstream.asked == []


def test_a_lost_reply_leaves_the_object(upstream, proxy):
    proxy.on(faults.lost_reply(), method="PUT")
    with pytest.raises(http.client.RemoteDisconnected):
        put(proxy, If_None_Match="*")
    assert upstream.objects == {PATH: BODY}
    assert put(proxy, If_None_Match="*").status == 412


@pytest.mark.parametrize("answer_with, status", [(1, 200), (2, 412)])
def test_a_duplicated_request_arrives_twice(upstream, proxy, answer_with, status):
    proxy.on(faults.duplicated(answer_with), method="PUT")
    assert put(proxy, If_None_Match="*").status == status
    assert upstream.asked == [f"PUT {PATH}"] * 2


def test_a_truncated_body_is_shorter_than_its_header_says(proxy):
    put(proxy)
    proxy.on(faults.truncated_body(keep=0.25), method="GET")
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(proxy)
    assert caught.value.partial == BODY[: len(BODY) // 4]
    assert caught.value.expected == len(BODY) - len(BODY) // 4


def test_wrong_bytes_have_the_right_length(proxy):
    put(proxy)
    proxy.on(faults.wrong_bytes(), method="GET")
    reply = get(proxy)
    assert reply.headers["Content-Length"] == str(len(BODY))
    assert sum(a != b for a, b in zip(reply.body, BODY, strict=True)) == 1
    assert get(proxy).body == BODY


def test_a_stale_list_is_one_that_was_given_before(upstream, proxy):
    listing = "/bucket?list-type=2&prefix="
    proxy.on(faults.stale_list(), path="list-type", nth=2, times=2)
    assert get(proxy, listing).body == b""
    put(proxy)
    assert [get(proxy, listing).body for _ in range(3)] == [b"", b"", PATH.encode()]
    assert upstream.asked.count(f"GET {listing}") == 2


def test_a_delayed_answer_comes_late(proxy):
    proxy.on(faults.delay(0.2))
    started = time.monotonic()
    assert put(proxy).status == 200
    assert time.monotonic() - started > 0.2


def test_a_stalled_request_gets_no_answer(upstream, proxy):
    proxy.on(faults.stall())
    with pytest.raises(TimeoutError):
        send(proxy.endpoint + PATH, "PUT", body=BODY, timeout=0.2)
    assert upstream.asked == []


def test_a_rule_chooses_by_method_path_and_number(upstream, proxy):
    proxy.on(faults.internal_error(), method="PUT", path=r"/packs/\d+$", nth=2, times=2)
    statuses = [put(proxy).status for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert get(proxy).status == 200
    proxy.clear()
    proxy.on(faults.slow_down(), path="packs", times=None)
    assert {get(proxy).status for _ in range(5)} == {503}
    assert get(proxy, "/bucket/snapshots/1").status == 404


def test_https_outside_and_http_inside(upstream, fault_proxy, certificates):
    proxy = fault_proxy(upstream, certificates)
    proxy.on(faults.lost_reply(), method="PUT")
    with pytest.raises(OSError):
        send(proxy.endpoint + PATH, "PUT", body=BODY, ca_file=certificates.ca_file)
    assert send(proxy.endpoint + PATH, ca_file=certificates.ca_file).body == BODY


def test_signed_requests_stay_valid_and_faults_reach_real_servers(minio, minio_tls, fault_proxy):
    for server in (minio, minio_tls):
        proxy = fault_proxy(server)
        bucket, s3 = server.new_bucket(), server.client().through(proxy.endpoint)
        proxy.on(faults.lost_reply(), method="PUT", path="/pack$")
        with pytest.raises(http.client.RemoteDisconnected):
            s3.put(bucket, "pack", BODY, if_none_match="*")
        assert s3.put(bucket, "pack", BODY, if_none_match="*").status == 412
        assert s3.get(bucket, "pack").body == BODY
        assert s3.list(bucket) == ["pack"]


def test_faults_reach_a_cloud_that_is_not_amazon(fake_gcs, fault_proxy):
    bucket = fake_gcs.new_bucket()
    proxy = fault_proxy(fake_gcs)
    target = f"{proxy.endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=pack&ifGenerationMatch=0"
    proxy.on(faults.duplicated(), method="POST")
    assert send(target, "POST", body=BODY).status == 412
    assert fake_gcs.get(bucket, "pack").body == BODY


def test_many_clients_at_once(upstream):
    with FaultProxy(upstream.endpoint) as proxy:
        proxy.on(faults.internal_error(), method="PUT", nth=5)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(put(proxy).status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 19 + [500]
