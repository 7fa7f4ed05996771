"""Each service behaves as the tests of object stores require."""

import base64
import datetime
import hashlib
import http.client
import json
import socket
import ssl
import time

import pytest

from services.http_client import expect, send
from services.metadata_server import ROLE, ROLE_PATH
from services.minio import Minio
from services.s3_client import S3Client, error_code


def sha256_base64(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


@pytest.fixture(params=["minio", "minio_tls"])
def any_minio(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["fake_gcs", "fake_gcs_tls"])
def any_gcs(request):
    return request.getfixturevalue(request.param)


def test_minio_keeps_lists_and_deletes_objects(any_minio):
    s3, bucket = any_minio.client(), any_minio.new_bucket()
    keys = ["packs/a b+c", "packs/ä", "snapshots/1"]
    for key in keys:
        expect(s3.put(bucket, key, key.encode()))
    assert s3.get(bucket, keys[0]).body == keys[0].encode()
    assert expect(s3.get(bucket, keys[0], range="bytes=2-4")).body == b"cks"
    assert s3.head(bucket, keys[0]).headers["Content-Length"] == "11"
    assert s3.list(bucket) == keys
    assert s3.list(bucket, "snapshots/") == ["snapshots/1"]
    expect(s3.delete(bucket, keys[0]), 204)
    assert error_code(s3.get(bucket, keys[0])) == "NoSuchKey"


def test_minio_creates_an_object_only_once(minio):
    s3, bucket = minio.client(), minio.new_bucket()
    expect(s3.put(bucket, "manifest", b"first", if_none_match="*"))
    second = s3.put(bucket, "manifest", b"second", if_none_match="*")
    assert (second.status, error_code(second)) == (412, "PreconditionFailed")
    assert s3.get(bucket, "manifest").body == b"first"


def test_minio_refuses_bytes_that_do_not_match_their_checksum(minio):
    s3, bucket = minio.client(), minio.new_bucket()
    wrong = s3.put(bucket, "pack", b"sent", x_amz_checksum_sha256=sha256_base64(b"meant"))
    assert wrong.status == 400 and error_code(wrong) == "XAmzContentChecksumMismatch"
    assert s3.list(bucket) == []
    right = expect(s3.put(bucket, "pack", b"sent", x_amz_checksum_sha256=sha256_base64(b"sent")))
    assert right.headers["x-amz-checksum-sha256"] == sha256_base64(b"sent")


def test_minio_keeps_versions(minio):
    s3, bucket = minio.client(), minio.new_bucket(versioning=True)
    for body in (b"one", b"two"):
        expect(s3.put(bucket, "head", body))
    expect(s3.delete(bucket, "head"), 204)
    marker, two, one = s3.list_versions(bucket)
    assert marker.is_delete_marker and marker.is_latest
    assert s3.get(bucket, "head").status == 404
    assert s3.get(bucket, "head", one.version_id).body == b"one"
    assert s3.get(bucket, "head", two.version_id).body == b"two"


def test_minio_does_not_delete_a_locked_version(minio):
    s3, bucket = minio.client(), minio.new_bucket(object_lock=True)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    lock = {"x_amz_object_lock_mode": "COMPLIANCE",
            "x_amz_object_lock_retain_until_date": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    expect(s3.put(bucket, "pack", b"kept", x_amz_checksum_sha256=sha256_base64(b"kept"), **lock))
    assert s3.retention(bucket, "pack")[0] == "COMPLIANCE"
    version = s3.list_versions(bucket)[0].version_id
    assert s3.delete(bucket, "pack", version).status in (400, 403)
    assert s3.get(bucket, "pack", version).body == b"kept"


def test_restricted_credentials_write_and_read_but_do_not_delete(minio):
    bucket, other = minio.new_bucket(), minio.new_bucket()
    s3 = minio.restricted(bucket, "s3:PutObject", "s3:GetObject", "s3:ListBucket")
    expect(s3.put(bucket, "pack", b"kept"))
    assert s3.get(bucket, "pack").body == b"kept"
    assert s3.list(bucket) == ["pack"]
    assert error_code(s3.delete(bucket, "pack")) == "AccessDenied"
    assert error_code(s3.put(other, "pack", b"")) == "AccessDenied"


def test_minio_refuses_wrong_and_unknown_keys(minio):
    bucket = minio.new_bucket()
    wrong = S3Client(minio.endpoint, minio.access_key, "wrong")
    assert error_code(wrong.get(bucket, "pack")) == "SignatureDoesNotMatch"
    unknown = S3Client(minio.endpoint, "nobody", "wrong")
    assert error_code(unknown.get(bucket, "pack")) == "InvalidAccessKeyId"


def test_a_client_that_does_not_know_the_ca_refuses_it(minio_tls, fake_gcs_tls):
    for server in (minio_tls, fake_gcs_tls):
        with pytest.raises(ssl.SSLCertVerificationError):
            send(server.endpoint)


def test_minio_keeps_what_it_stored_when_it_is_killed(minio, tmp_path):
    with Minio(tmp_path / "minio") as own:
        bucket = own.new_bucket()
        expect(own.client().put(bucket, "pack", b"kept"))
        own.kill()
        with pytest.raises(ConnectionRefusedError):
            own.client().get(bucket, "pack")
        own.start()
        assert own.client().get(bucket, "pack").body == b"kept"


def test_gcs_keeps_and_lists_objects(any_gcs):
    bucket = any_gcs.new_bucket()
    expect(any_gcs.put(bucket, "packs/a b", b"bytes"))
    assert any_gcs.get(bucket, "packs/a b").body == b"bytes"
    assert any_gcs.list(bucket) == ["packs/a b"]
    assert any_gcs.list(bucket, "snapshots/") == []


def test_gcs_creates_an_object_only_once(any_gcs):
    bucket = any_gcs.new_bucket()
    expect(any_gcs.put(bucket, "manifest", b"first", ifGenerationMatch=0))
    assert any_gcs.put(bucket, "manifest", b"second", ifGenerationMatch=0).status == 412
    assert any_gcs.get(bucket, "manifest").body == b"first"


def seconds_of(call):
    started = time.monotonic()
    call()
    return time.monotonic() - started


def test_toxiproxy_delays_and_throttles(minio, toxiproxy):
    bucket = minio.new_bucket()
    with toxiproxy.proxy(minio.port) as proxy:
        s3 = minio.client().through(f"http://{proxy.address}")
        expect(s3.put(bucket, "pack", bytes(100_000)))
        latency = proxy.latency(500)
        assert seconds_of(lambda: expect(s3.get(bucket, "pack"))) > 0.5
        proxy.remove(latency)
        assert seconds_of(lambda: expect(s3.get(bucket, "pack"))) < 0.5
        proxy.bandwidth(200)
        assert seconds_of(lambda: expect(s3.get(bucket, "pack"))) > 0.3


def test_toxiproxy_cuts_connections(minio, toxiproxy):
    with toxiproxy.proxy(minio.port) as proxy:
        url = f"http://{proxy.address}/minio/health/live"

        def fails_with(toxic, error):
            with pytest.raises(error):
                send(url, timeout=1)
            proxy.remove(toxic)
            expect(send(url))

        fails_with(proxy.stall(), TimeoutError)
        fails_with(proxy.timeout(50), ConnectionError)
        fails_with(proxy.reset_peer(), ConnectionResetError)
        fails_with(proxy.limit_data(10), http.client.BadStatusLine)
        proxy.enable(False)
        with pytest.raises(ConnectionRefusedError):
            send(url)
        proxy.enable()
        proxy.slow_close(300)
        assert seconds_of(lambda: read_to_the_end(proxy.port)) > 0.3


def read_to_the_end(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /minio/health/live HTTP/1.1\r\nHost: minio\r\nConnection: close\r\n\r\n")
        while connection.recv(65536):
            pass


def test_toxiproxy_carries_https(minio_tls, toxiproxy):
    with toxiproxy.proxy(minio_tls.port) as proxy:
        expect(send(f"https://{proxy.address}/minio/health/live", ca_file=minio_tls.ca_file))


def test_moto_gives_credentials_for_a_token_and_keeps_objects(moto_server):
    given = moto_server.assume_role_with_web_identity("token of an identity provider")
    assert given["Expiration"] > datetime.datetime.now(datetime.timezone.utc).isoformat()
    s3 = S3Client(moto_server.endpoint, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    s3.make_bucket("backups")
    expect(s3.put("backups", "pack", b"bytes"))
    assert s3.get("backups", "pack").body == b"bytes"
    assert s3.list("backups") == ["pack"]


def test_instance_metadata_wants_a_token(metadata_server):
    url = metadata_server.endpoint
    assert send(url + ROLE_PATH).status == 401
    assert send(f"{url}/latest/api/token", "PUT").status == 400
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = {"X-aws-ec2-metadata-token": expect(send(f"{url}/latest/api/token", "PUT", ttl)).body.decode()}
    assert send(url + ROLE_PATH, headers=token).body.decode() == ROLE
    given = json.loads(send(url + ROLE_PATH + ROLE, headers=token).body)
    assert given["Code"] == "Success"
    assert (given["AccessKeyId"], given["SecretAccessKey"], given["Token"]) == metadata_server.credentials
    assert send(f"{url}/latest/user-data", headers=token).status == 404


def test_container_credentials_want_authorization(metadata_server):
    assert send(metadata_server.container_url).status == 401
    authorization = {"Authorization": metadata_server.container_token}
    metadata_server.failures = [503]
    metadata_server.lifetime_seconds = -1
    assert send(metadata_server.container_url, headers=authorization).status == 503
    given = json.loads(expect(send(metadata_server.container_url, headers=authorization)).body)
    assert given["Expiration"] < datetime.datetime.now(datetime.timezone.utc).isoformat()
    assert metadata_server.requests == ["GET /v2/credentials/drstream"] * 3


def test_credentials_of_the_metadata_service_can_be_real(minio, metadata_server):
    bucket = minio.new_bucket()
    allowed = minio.restricted(bucket, "s3:PutObject")
    metadata_server.credentials = (allowed.access_key, allowed.secret_key, allowed.session_token)
    authorization = {"Authorization": metadata_server.container_token}
    given = json.loads(send(metadata_server.container_url, headers=authorization).body)
    s3 = S3Client(minio.endpoint, given["AccessKeyId"], given["SecretAccessKey"], given["Token"])
    expect(s3.put(bucket, "pack", b"bytes"))
    assert error_code(s3.get(bucket, "pack")) == "AccessDenied"
