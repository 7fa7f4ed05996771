"""What a user can do with a local repository, done with one in a bucket that answers as Google Cloud Storage does."""


import pytest
from repository import sample_bytes, sha256_hex

from services import faults

STREAM = "pg/app"
DATA = sample_bytes(9_000_000)
UPLOAD = "/upload/storage/v1/b/[^/]+/o"
DOWNLOAD = "alt=media"


@pytest.fixture
def proxied(new_gcs_repository, fake_gcs, fault_proxy):
    """A repository behind a FaultProxy, and the proxy."""
    proxy = fault_proxy(fake_gcs)
    repository = new_gcs_repository(fake_gcs, endpoint=proxy.endpoint)
    repository.run("init")
    return repository, proxy


def test_a_stream_comes_back_as_it_went_in(gcs):
    pushed = gcs.push(STREAM, DATA)
    assert pushed["sha256"] == sha256_hex(DATA)
    assert gcs.pull(STREAM) == DATA
    assert gcs.pull(STREAM, "--offset", "4000001", "--length", "1MiB") == DATA[4_000_001 : 4_000_001 + (1 << 20)]
    assert [snapshot["stream"] for snapshot in gcs.snapshots()] == [STREAM]


def test_what_is_known_is_not_stored_again(gcs):
    gcs.push(STREAM, DATA)
    before = gcs.objects()
    again = gcs.push(STREAM, DATA)
    assert again["new_bytes"] == 0
    assert sum(len(gcs.read_object(name)) for name in gcs.objects().keys() - before.keys()) < len(DATA) / 50


def test_every_command_works(gcs):
    gcs.push(STREAM, DATA)
    for command in (["verify"], ["verify", "--read-data"], ["scrub"], ["doctor"], ["stats"], ["repair", "index"],
                    ["key", "test"], ["key", "list"]):  # fmt: skip
        gcs.run(*command)
    assert gcs.pull(STREAM) == DATA


def test_doctor_finds_a_good_bucket_fit_and_leaves_it_as_it_was(gcs):
    before = gcs.objects()
    found = {check["name"]: check["state"] for check in gcs.json("doctor")["checks"]}
    assert before == gcs.objects()
    for name in ("latency", "clock-skew", "writing", "create-once", "checksums", "removing", "upload", "download",
                 "repository"):  # fmt: skip
        assert found[name] == "ok", name
    assert found["connection"] == ("ok" if gcs.endpoint.startswith("https") else "notice")


def test_two_pushes_at_once_are_siblings(gcs):
    other = sample_bytes(2_000_000)
    first = gcs.start("push", STREAM, stdin=-1)
    second = gcs.start("push", STREAM, stdin=-1)
    first.stdin.write(other)
    second.communicate(other)
    first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(gcs.snapshots()) == 2
    gcs.run("verify", "--read-data")


def test_a_name_that_is_taken_is_not_replaced(gcs):
    """What create-if-absent rests on, without which no commit would be safe."""
    name = f"{gcs.prefix}/taken"
    assert gcs.client.put(gcs.bucket, name, b"first", ifGenerationMatch=0).status == 200
    assert gcs.client.put(gcs.bucket, name, b"second", ifGenerationMatch=0).status == 412
    assert gcs.read_object("taken") == b"first"


@pytest.mark.parametrize("fault, times", [(faults.lost_reply(), 1), (faults.lost_reply(), 2), (faults.lost_request(), 1),
                                          (faults.internal_error(applied=True), 1), (faults.slow_down(0), 2),
                                          (faults.too_many_requests(0), 2)],
                         ids=lambda value: getattr(value, "__name__", value))  # fmt: skip
def test_a_push_outlasts_what_passes(proxied, fault, times):
    repository, proxy = proxied
    proxy.on(fault, method="POST", path=UPLOAD, nth=2, times=times)
    pushed = repository.push(STREAM, DATA)
    assert pushed["sha256"] == sha256_hex(DATA)
    assert len(proxy.spoiled()) == times
    proxy.clear()
    assert repository.pull(STREAM) == DATA


def test_puts_that_arrive_twice_are_stored_once(proxied):
    repository, proxy = proxied
    proxy.on(faults.duplicated(1), method="POST", path=UPLOAD, times=None)
    repository.push(STREAM, DATA)
    proxy.clear()
    assert repository.pull(STREAM) == DATA


@pytest.mark.parametrize("fault", [faults.truncated_body(), faults.wrong_bytes(), faults.lost_reply(),
                                   faults.slow_down(0), faults.internal_error()],
                         ids=lambda fault: fault.__name__)  # fmt: skip
def test_a_pull_outlasts_what_passes(proxied, fault):
    repository, proxy = proxied
    repository.push(STREAM, DATA)
    proxy.on(fault, method="GET", path=DOWNLOAD, nth=1)
    assert repository.pull(STREAM) == DATA
    assert proxy.spoiled() == [fault.__name__]


def test_a_list_outlasts_what_passes(proxied):
    repository, proxy = proxied
    repository.push(STREAM, DATA)
    proxy.on(faults.truncated_body(), method="GET", path=r"/o\?.*prefix=")
    proxy.on(faults.answer(200, "", body=b"<html>Sign in</html>", content_type="text/html"), path=r"/o\?.*prefix=", nth=2)
    assert [snapshot["stream"] for snapshot in repository.snapshots()] == [STREAM]
    assert sorted(proxy.spoiled()) == ["answer", "truncated_body"]  # lists are made at the same time


def test_a_token_is_renewed_once_and_never_shown(new_gcs_repository, fake_gcs, fault_proxy, google_login, tmp_path):
    proxy = fault_proxy(fake_gcs)
    repository = new_gcs_repository(fake_gcs)
    repository.variables = {
        "STORAGE_EMULATOR_HOST": None,
        "DRSTREAM_ENDPOINT_URL": proxy.endpoint,
        "GOOGLE_APPLICATION_CREDENTIALS": str(google_login.write_credentials(tmp_path / "adc.json")),
    }
    repository.run("init")
    proxy.on(faults.unauthorized(), method="POST", path=UPLOAD, nth=2)
    given = len(google_login.tokens)
    repository.push(STREAM, DATA)
    assert len(google_login.tokens) == given + 2  # one to begin with, one for the refusal
    proxy.on(faults.unauthorized(), times=None)
    refused = repository.run("list", expect=5, env={"DRSTREAM_STORE_TIMEOUT": "2s"})
    assert "refused" in refused.err
    assert not any(token in refused.err for token in google_login.tokens)


@pytest.mark.parametrize("problem, code, text", [
    ("no bucket", 10, "does not exist: create it"),
    ("no permission", 5, "lack the permission storage.objects.list on bucket"),
    ("no credentials", 6, "GOOGLE_APPLICATION_CREDENTIALS is not set"),
    ("token in the clear", 2, "STORAGE_EMULATOR_HOST"),
])  # fmt: skip
def test_each_mistake_has_one_message_that_says_what_to_do(new_gcs_repository, fake_gcs, fault_proxy, problem, code,
                                                           text):
    proxy = fault_proxy(fake_gcs)
    repository = new_gcs_repository(fake_gcs, endpoint=proxy.endpoint)
    if problem == "no bucket":
        repository.path = "gs://there-is-none/prefix"
    elif problem == "no permission":
        body = b'{"error":{"code":403,"message":"no access","errors":[{"reason":"forbidden"}]}}'
        proxy.on(faults.answer(403, "", body=body, content_type="application/json"), times=None)
    elif problem == "no credentials":
        repository.variables = {"STORAGE_EMULATOR_HOST": None, "GCE_METADATA_HOST": "127.0.0.1:1"}
    else:
        repository.variables = {"STORAGE_EMULATOR_HOST": None, "DRSTREAM_ENDPOINT_URL": "http://gcs.example"}
    refused = repository.run("list", expect=code)
    assert text in refused.err
