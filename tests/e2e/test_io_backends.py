"""io_uring, plain system calls, and io_uring forbidden: the same snapshot, and the command says which it used."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import sample_bytes

DATA = sample_bytes(9_000_123)
DENY = [sys.executable, Path(__file__).with_name("deny_io_uring.py")]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def io_uring(drs):
    if drs.json("version")["io_backend"] != "uring":
        pytest.skip("this kernel or container forbids io_uring")


def content_of(snapshot):
    return {name: snapshot[name] for name in ("bytes", "sha256", "xxh3_128", "chunks")}


def round_trip(drs, source, stream, *options, launcher=()):
    pushed = drs.json("push", stream, "--file", source, *options, launcher=launcher)
    target = drs.folder / f"{stream}.out"
    drs.run("pull", stream, "-o", target, *options, launcher=launcher)
    assert target.read_bytes() == DATA
    return content_of(pushed)


def test_posix_and_uring_store_and_restore_the_same(drs, io_uring, source):
    assert round_trip(drs, source, "by-posix", "--io", "posix") == round_trip(drs, source, "by-uring", "--io", "uring")
    drs.run("verify", "--read-data", "--io", "uring")
    drs.run("verify", "--read-data", "--io", "posix")
    drs.run("scrub", "--io", "posix")
    # What one wrote the other knows.
    assert drs.json("push", "again", "--file", source, "--io", "posix")["new_bytes"] == 0


def test_posix_alone_works(drs, source):
    round_trip(drs, source, "s", "--io", "posix")
    assert drs.json("version", "--io", "posix")["io_backend"] == "posix"


def test_with_io_uring_forbidden_everything_works_and_doctor_says_why(drs, source):
    free = round_trip(drs, source, "free")
    assert round_trip(drs, source, "denied", launcher=DENY) == free
    drs.run("verify", "--read-data", "denied", launcher=DENY)
    checks = {check["name"]: check for check in drs.json("doctor", launcher=DENY)["checks"]}
    assert checks["io"]["state"] == "notice"
    assert "io_uring is refused" in checks["io"]["detail"]
    assert re.search("not permitted|EPERM", checks["io"]["detail"])
    assert drs.json("version", launcher=DENY)["io_backend"] == "posix"


def test_doctor_knows_that_a_container_may_hide_io_uring(drs):
    checks = {check["name"]: check for check in drs.json("doctor", launcher=[*DENY, "--as", "ENOSYS"])["checks"]}
    assert checks["io"]["state"] == "notice"
    assert "seccomp filter of a container" in checks["io"]["detail"]


def test_io_uring_that_is_asked_for_and_refused_is_an_error(drs, source):
    outcome = drs.run("push", "s", "--file", source, "--io", "uring", launcher=DENY, expect=2)
    assert "io_uring" in outcome.err
    assert drs.snapshots() == []
    assert drs.run("doctor", "--io", "uring", launcher=DENY, expect=2)


def strace(drs, missing, tmp_path, *arguments):
    """The lines of `strace -f` about io_uring and reads, or skips without permission to trace."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    trace = tmp_path / "trace"
    launcher = ["strace", "-f", "-o", trace, "-e", "trace=io_uring_setup,io_uring_enter,io_uring_register,pread64"]
    probe = subprocess.run([*launcher, "true"], stderr=subprocess.PIPE, check=False)
    if probe.returncode != 0:
        pytest.skip("ptrace is not permitted here")
    drs.run(*arguments, launcher=launcher)
    return trace.read_text()


@pytest.mark.local_only("the buffers registered are those that packs are written from")
def test_a_file_is_read_through_io_uring_with_registered_buffers(drs, io_uring, source, missing, tmp_path):
    calls = strace(drs, missing, tmp_path, "push", "s", "--file", source, "--io", "uring")
    assert len(re.findall(r"io_uring_enter\(", calls)) >= 3
    assert re.search(r"io_uring_register\(\d+, IORING_REGISTER_BUFFERS", calls)
    assert drs.pull("s") == DATA


def test_posix_does_not_touch_io_uring(drs, source, missing, tmp_path):
    calls = strace(drs, missing, tmp_path, "push", "s", "--file", source, "--io", "posix")
    assert "io_uring_" not in calls
    assert "pread64(" in calls


def test_an_empty_file_is_refused_as_an_empty_pipe_is(drs, tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    drs.run("push", "s", "--file", path, expect=3)
    drs.run("push", "s", "--file", path, "--allow-empty")
    assert drs.pull("s") == b""


@pytest.mark.parametrize("size", [1, 511, 512, 4096, 4097, 1_048_576 + 1])
def test_tails_that_are_no_multiple_of_a_block_are_whole(drs, tmp_path, size):
    path = tmp_path / "tail"
    data = sample_bytes(size, seed=size)
    path.write_bytes(data)
    drs.run("push", "s", "--file", path)
    target = tmp_path / "out"
    drs.run("pull", "s", "-o", target)
    assert target.read_bytes() == data
