"""Pushes that die or fail anywhere: committed snapshots stay, others are absent or complete, nothing needs repair.

By SIGKILL at random moments, at every failpoint, and by every failing system call of the plain-syscall backend. (The
io_uring backend's failing operations are unit tests on the simulated disk; a full disk is test_full_disk.py, a power
cut test_power_cut.py.)
"""

import collections
import os
import re
import time

import pytest
from campaign_support import QUICK, STREAM, Ledger, kill_after, strace
from repository import sample_bytes

BASE = sample_bytes(2_000_000)
DIED = -9


@pytest.fixture
def ledger(drs):
    ledger = Ledger(drs)
    ledger.push(BASE)
    return ledger


def test_kill_9_at_random_moments_loses_nothing(drs, ledger, full_run, share, dice, tmp_path):
    kills = len(share(range(300 if full_run else 20)))
    path = tmp_path / "stream"
    started = time.monotonic()
    ledger.push(os.urandom(3_000_000))
    push_seconds = time.monotonic() - started
    died = committed = number = 0
    while died < kills:
        assert number < 5 * kills, f"of {number} pushes only {died} could be killed"
        data = BASE[: dice.randrange(len(BASE))] + dice.randbytes(dice.randrange(10_000, 3_000_000))
        path.write_bytes(data)
        source = ["--file", path] if number % 3 == 0 else []
        options = [*QUICK, *source, "--io", ["auto", "posix"][number % 2], "--json"]
        with open(path, "rb") as stdin:
            code, out = kill_after(
                drs, dice.uniform(0.001, 1.2 * push_seconds), "push", STREAM, *options, stdin=stdin
            )
        assert code in (0, DIED)
        fresh = ledger.take_stock(data)
        if code == 0:
            assert fresh and next(iter(fresh)) in out.decode()
        died += code == DIED
        committed += code == DIED and len(fresh)
        ledger.restore_first()
        number += 1
        if number % 10 == 0:
            drs.run("verify", "--read-data", "--read-only", "--expect-head")
    ledger.push(os.urandom(2_000_000))
    ledger.prove()
    print(f"{number} pushes, {died} killed, {committed} of those after the commit; {len(ledger.held)} snapshots whole")


def hits_of(log):
    return collections.Counter(log.read_text().split()) if log.exists() else collections.Counter()


def with_failpoint(log, point):
    log.unlink(missing_ok=True)
    return {"DRSTREAM_FAILPOINT_LOG": str(log), "DRSTREAM_FAILPOINT": point}


def places(hits, full_run):
    """(name, n) for every hit of every failpoint, or for the first and the last."""
    for name, count in sorted(hits.items()):
        for nth in range(1, count + 1) if full_run else sorted({1, count}):
            yield name, nth


ACTIONS = {"abort": (DIED,), "eio": (5,), "enospc": (5,)}
# What fails while a push tidies up after its commit does not undo it.
HARMLESS = {"local.after_remove"}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_push_that_stops_at_any_failpoint_loses_nothing(drs, ledger, full_run, share, tmp_path, action, store):
    log = tmp_path / "points"

    def stream():
        return os.urandom(7_000_000)  # two packs at --memory 96MiB

    ledger.push(stream(), env={"DRSTREAM_FAILPOINT_LOG": str(log)})
    hits = hits_of(log)
    assert {name.split(".")[0] for name in hits} == ({"local", "push"} if store == "local" else {"push"})
    tried = reached = committed = 0
    for name, nth in share(places(hits, full_run)):
        data = stream()
        point = f"{name}:{nth}:{action}"
        outcome = drs.run("push", STREAM, *QUICK, input=data, env=with_failpoint(log, point), expect=None)
        fresh = ledger.take_stock(data)
        accepted = ACTIONS[action] if action == "abort" or name not in HARMLESS else (0, *ACTIONS[action])
        was_reached = hits_of(log)[name] >= nth
        # How often some points are hit depends on how writes overlap.
        assert outcome.code in (accepted if was_reached else (0,)), (point, outcome.code, outcome.err)
        assert fresh or outcome.code != 0, point
        if outcome.code == 5:
            assert ("no snapshot was made" in outcome.err) == (not fresh), (point, outcome.err)
        ledger.restore_first()
        ledger.push(BASE)
        tried += 1
        reached += was_reached
        committed += bool(fresh)
    ledger.prove()
    print(f"{action} at {reached} of {tried} places in {len(hits)} failpoints of push: {committed} were committed")
    assert reached >= tried * 3 // 4


@pytest.mark.local_only("of an init, only what writes files has failpoints")
@pytest.mark.parametrize("action", ACTIONS)
def test_an_init_that_stops_at_any_failpoint_can_be_run_again(new_repository, full_run, share, tmp_path, action):
    log = tmp_path / "points"
    first = new_repository("first")
    first.run("init", env={"DRSTREAM_FAILPOINT_LOG": str(log)})
    tried = 0
    for name, nth in share(places(hits_of(log), full_run)):
        repository = new_repository(f"{name}-{nth}")
        point = f"{name}:{nth}:{action}"
        outcome = repository.run("init", env=with_failpoint(log, point), expect=None)
        assert outcome.code in ACTIONS[action], (point, outcome)
        # Either nothing is there, or all of it.
        again = repository.run("init", expect=(0, 2))
        assert again.code == 0 or "already" in again.err, (point, again.err)
        ledger = Ledger(repository)
        ledger.push(BASE)
        ledger.prove()
        tried += 1
    print(f"{action} at {tried} places of init")
    assert tried >= len(share(range(10)))


WRITING = ["pwrite64", "fdatasync", "linkat", "ftruncate", "fallocate"]
CALLS = [*WRITING, "fsync", "openat", "pread64", "mkdirat", "unlinkat", "getdents64"]


def calls_of(trace):
    """How often each call is made by the thread that makes it most: strace counts for each thread by itself."""
    counts = collections.Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.MULTILINE))
    most = {}
    for (_, call), count in counts.items():
        most[call] = max(count, most.get(call, 0))
    return most


@pytest.mark.parametrize("call", CALLS)
def test_any_failing_system_call_loses_nothing(drs, ledger, missing, full_run, share, tmp_path, call):
    trace = tmp_path / "trace"
    push = ["push", STREAM, *QUICK, "--io", "posix"]

    def stream():
        return os.urandom(7_000_000)

    data = stream()
    drs.run(*push, input=data, launcher=strace(missing, "-o", trace, "-e", f"trace={call}"))
    ledger.take_stock(data)
    most = calls_of(trace.read_text()).get(call, 0)
    if most == 0:
        pytest.skip(f"a push does not call {call}")
    chosen = share(range(1, most + 1) if full_run else sorted({1, (most + 1) // 2, most}))
    failed = 0
    for nth in chosen:
        data = stream()
        inject = ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={nth}"]
        outcome = drs.run(*push, input=data, launcher=strace(missing, *inject), expect=None)
        fresh = ledger.take_stock(data)
        # No crash, no internal error; 127: the dynamic linker was hit.
        assert outcome.code >= 0 and outcome.code != 1, (call, nth, outcome.err)
        if call in WRITING:
            assert outcome.code in (0, 5), (call, nth, outcome.code, outcome.err)
        assert fresh or outcome.code != 0, (call, nth)
        ledger.restore_first()
        ledger.push(BASE)
        failed += outcome.code != 0
    ledger.prove()
    print(f"EIO from calls {chosen[:1]}..{most} of {call}: {len(chosen)} pushes, {failed} failed")
