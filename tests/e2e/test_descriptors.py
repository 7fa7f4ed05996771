"""What the caller opened: messages and progress never end up inside a stream, and no descriptor is mistaken for another."""

import json
import os
import subprocess
import time

import pytest
from repository import sample_bytes, sha256_hex

DATA = sample_bytes(3_000_000)


def closed(*numbers):
    """A launcher that closes descriptors."""
    script = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in numbers)
    return ["sh", "-c", f'exec "$@" {script}', "sh"]


def shell(script):
    return ["sh", "-c", script, "sh"]


def test_a_progress_descriptor_that_is_not_open_is_refused(drs):
    outcome = drs.run("push", "s", "--progress-fd", "7", input=DATA, expect=2)
    assert "--progress-fd 7: this descriptor is not open" in outcome.err
    assert drs.snapshots() == []
    drs.push("s", DATA)
    drs.run("verify", "--read-data")


@pytest.mark.parametrize("number", ["0", "1"])
def test_progress_into_stdin_or_stdout_is_refused(drs, number):
    drs.push("s", DATA)
    assert "carry streams and answers" in drs.run("pull", "s", "--progress-fd", number, expect=2).err


def test_a_progress_descriptor_for_reading_is_refused(drs, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    launcher = shell(f'exec 5< {tmp_path}/file; exec "$@"')
    assert "not open for writing" in drs.run("push", "s", "--progress-fd", "5", launcher=launcher, expect=2).err


def test_progress_to_the_place_of_the_stream_is_refused(drs):
    drs.push("s", DATA)
    outcome = drs.run("pull", "s", "--progress-fd", "3", launcher=shell('exec 3>&1; exec "$@"'), expect=2)
    assert "progress would end up inside the restored stream" in outcome.err
    assert outcome.out == b""


def test_messages_to_the_place_of_the_stream_are_refused(drs, tmp_path):
    drs.push("s", DATA)
    both = drs.run("pull", "s", stderr=subprocess.STDOUT, expect=2)
    assert b"messages would end up inside the restored stream" in both.out
    outcome = drs.run("pull", "s", "-o", "/dev/stderr", expect=2)
    assert "messages would end up inside" in outcome.err


def test_output_to_dev_stdout_is_the_stream_alone(drs):
    drs.push("s", DATA)
    for path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        outcome = drs.run("pull", "s", "-o", path)
        assert outcome.out == DATA
        assert "SHA-256 agrees" in outcome.err


def test_a_closed_stdout_takes_no_stream(drs):
    drs.push("s", DATA)
    outcome = drs.run("pull", "s", launcher=closed(1), expect=2)
    assert "stdout is closed" in outcome.err
    assert "agrees" not in outcome.err


def test_a_closed_stdout_takes_no_answer(drs):
    drs.push("s", DATA)
    assert drs.run("list", launcher=closed(1), expect=5).err


def test_a_closed_stdin_gives_no_stream(drs):
    outcome = drs.run("push", "s", "--allow-empty", launcher=closed(0), expect=2)
    assert "stdin is closed" in outcome.err


def test_closed_standard_descriptors_are_not_given_to_files(drs):
    drs.push("s", DATA, launcher=closed(2))
    drs.run("push", "s", "--exec", "--", "printf", "hello", launcher=closed(0, 1, 2))
    assert drs.pull("s") == b"hello"
    drs.run("verify", "--read-data")


def test_a_progress_reader_that_stalls_holds_up_nothing(drs):
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with open(write_end, "wb", buffering=0) as full:
        while full.write(b"x" * 4096):
            pass
        os.set_blocking(write_end, True)
        began = time.monotonic()
        drs.run("push", "s", "--progress-fd", write_end, input=DATA, pass_fds=[write_end])
        assert time.monotonic() - began < 60
        assert os.get_blocking(write_end), "flags of a descriptor that others share were changed"
    os.close(read_end)
    assert sha256_hex(drs.pull("s")) == sha256_hex(DATA)


def test_progress_goes_to_a_socket_too(drs):
    import socket

    ours, theirs = socket.socketpair()
    drs.run("push", "s", "--progress-fd", theirs.fileno(), input=DATA, pass_fds=[theirs.fileno()])
    theirs.close()
    lines = b"".join(iter(lambda: ours.recv(65536), b"")).splitlines()
    assert json.loads(lines[-1])["bytes"] == len(DATA)
