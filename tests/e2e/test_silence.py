"""One SIGTERM ends every wait: for a server that takes connections and says nothing, a FIFO that has no writer, a lock
that another process holds."""

import contextlib
import fcntl
import os
import signal
import socket
import time

import pytest

ENDS_WITHIN_SECONDS = 8  # of a busy machine; what waits for a timeout takes longer
KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def url(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def terminate(process, waits):
    """Ends a process once `waits` has returned, and sees that it ends soon and as one that was told to."""
    try:
        waits()
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM, err.decode()
    assert time.monotonic() - began < ENDS_WITHIN_SECONDS, err.decode()


def opens(process, path):
    """Waits until the process has the file open."""
    deadline = time.monotonic() + 30
    while process.poll() is None:
        assert time.monotonic() < deadline
        for fd in os.listdir(f"/proc/{process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/{process.pid}/fd/{fd}") == str(path):
                    return
        time.sleep(0.02)
    raise AssertionError(process.stderr.read().decode())


def token_file(folder):
    path = folder / "token"
    path.write_text("header.claims.signature")
    return path


def waits_of(folder, server):
    """Commands, and what makes each wait for `server`."""
    role = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file(folder))}
    return {
        "doctor": ("doctor", "s3", {**KEYS, "AWS_ENDPOINT_URL_S3": server}),
        "web identity": ("list", "s3", {**role, **NO_METADATA, "AWS_ENDPOINT_URL_STS": server}),
        "container": ("list", "s3", {**NO_METADATA, "AWS_CONTAINER_CREDENTIALS_FULL_URI": server + "/c"}),
        "Google metadata": ("list", "gs", {"GCE_METADATA_HOST": server.removeprefix("http://")}),
    }


@pytest.mark.parametrize("which", ["doctor", "web identity", "container", "Google metadata"])
def test_a_signal_ends_the_wait_for_a_server(drs, tmp_path, listener, which):
    command, scheme, variables = waits_of(tmp_path, url(listener))[which]
    process = drs.start(command, env={**variables, "DRSTREAM_REPOSITORY": f"{scheme}://bucket/prefix"})
    connections = []  # open until the end

    def asks():
        connections.append(listener.accept()[0])
        assert connections[0].recv(1)

    terminate(process, asks)


@pytest.mark.parametrize("scheme, variable", [
    ("s3", "AWS_CONFIG_FILE"), ("s3", "AWS_SHARED_CREDENTIALS_FILE"), ("s3", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    ("gs", "GOOGLE_APPLICATION_CREDENTIALS"),
])
def test_a_signal_ends_the_wait_for_a_fifo(drs, tmp_path, scheme, variable):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    variables = {**NO_METADATA, variable: str(fifo), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
                 "DRSTREAM_REPOSITORY": f"{scheme}://bucket/prefix"}
    process = drs.start("list", env=variables)
    terminate(process, lambda: opens(process, fifo))


@pytest.mark.parametrize("command", ["push", "resume"])
def test_a_signal_ends_the_wait_for_the_lock_of_a_spool(drs, tmp_path, command):
    drs.push("s", b"x")
    spool = tmp_path / "spool"
    spool.mkdir()
    with open(spool / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        names = ["push", "s"] if command == "push" else ["resume"]
        process = drs.start(*names, "--spool", spool)
        terminate(process, lambda: opens(process, spool / "lock"))
