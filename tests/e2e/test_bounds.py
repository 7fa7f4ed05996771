"""What a machine or a manifest has no room for ends in order: by an exit code that is documented, and never by an abort
after a whole dump."""

import hashlib

import pytest

from preload import preload
from repository import sample_bytes

BUSY = 11
USAGE = 2


def test_a_long_command_is_recorded_with_a_mark_that_says_so(drs):
    drs.run("push", "s", "--exec", "--", "sh", "-c", "echo hello", "x" * 100_000)
    command = drs.snapshots()[-1]["producer"]["command"]
    assert len(command) == 16 * 1024
    assert command.startswith("sh -c 'echo hello' xxx") or command.startswith("sh -c echo hello xxx")
    assert command.endswith("xxx [cut: it had %d bytes]" % (100_000 + len(command.split("xxx")[0])))
    assert drs.pull("s") == b"hello\n"


@pytest.mark.parametrize("options", [["--require-trailer", "x" * 70_000],
                                     [o for i in range(100) for o in ("--tag", f"key{i}={'v' * 1000}")]],
                         ids=["pattern", "tags"])  # fmt: skip
def test_what_no_snapshot_can_record_is_refused_before_the_source_runs(drs, tmp_path, options):
    ran = tmp_path / "ran"
    outcome = drs.run("push", "s", *options, "--exec", "--", "touch", ran, expect=USAGE)
    assert "a snapshot records at most" in outcome.err
    assert not ran.exists()


@pytest.fixture(scope="module")
def thread_limit(tmp_path_factory, missing):
    loaded = preload("thread_limit", tmp_path_factory.mktemp("limit"), missing)
    return lambda threads: {**loaded, "THREAD_LIMIT": str(threads)}


def codes_at_each_limit(drs, thread_limit, *arguments, **options):
    """The exit codes of a command that gets 0, 1, 2 ... threads, until it has all that it asks for."""
    codes = []
    for threads in range(40):
        outcome = drs.run(*arguments, env=thread_limit(threads), expect=(0, BUSY), **options)
        codes.append(outcome.code)
        if outcome.code == BUSY:
            assert "cannot start a thread" in outcome.err
            assert "ulimit -u" in outcome.err
        elif codes[-2:] == [0, 0]:
            return codes
    raise AssertionError(f"{arguments}: {codes}")


@pytest.mark.parametrize("io", ["uring", "posix"])
def test_a_missing_thread_ends_every_command_in_order(drs, thread_limit, tmp_path, io):
    data = sample_bytes(6 << 20)
    codes = codes_at_each_limit(drs, thread_limit, "push", "s", "--io", io, "--threads", 2, input=data)
    assert codes[0] == BUSY
    assert hashlib.sha256(drs.pull("s")).digest() == hashlib.sha256(data).digest()
    assert len(drs.snapshots()) == codes.count(0), "what failed for want of a thread committed nothing"
    assert drs.snapshots()[-1]["new_bytes"] == 0

    for arguments in (["verify", "--read-data"], ["scrub"], ["pull", "s", "-o", tmp_path / "out", "--force"]):
        assert codes_at_each_limit(drs, thread_limit, *arguments, "--io", io)[0] == BUSY
    assert (tmp_path / "out").read_bytes() == data


def test_a_producer_without_a_thread_for_its_messages_commits_nothing(drs, thread_limit):
    codes = codes_at_each_limit(drs, thread_limit, "push", "s", "--exec", "--", "echo", "hello")
    assert len(drs.snapshots()) == codes.count(0)
