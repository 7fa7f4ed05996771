"""Many machines, one bucket: pushes of different and equal streams at once, some of them killed. What was committed
restores; nothing that was known when a push began is stored again; two of the same stream are siblings.
"""

import collections
import os
import signal
import threading

import pytest
from campaign_support import QUICK
from repository import sample_bytes, sha256_hex
from s3_repository import S3Repository

BASE = sample_bytes(5_000_000)
NEW_BYTES = 300_000
STREAMS = ["a", "b", "same", "same"]


@pytest.fixture
def machines(binary, minio, tmp_path):
    """Users of one repository that share nothing but the bucket."""
    bucket, key = minio.new_bucket(), os.urandom(32).hex()

    def machine(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        return S3Repository(binary, folder, minio.client(), bucket, key=key)

    all_of_them = [machine(number) for number in range(len(STREAMS))]
    all_of_them[0].run("init")
    return all_of_them


def push_all(machines, data, kill_seconds):
    """Each machine pushes its stream at the same time; those with a moment are killed then. Their exit codes."""
    codes = [None] * len(machines)

    def push(number):
        process = machines[number].start("push", STREAMS[number], *QUICK, "-q", stdin=-1)
        killer = threading.Timer(kill_seconds[number] or 120, lambda: process.send_signal(signal.SIGKILL))
        killer.start()
        try:
            process.communicate(data[number])
        except BrokenPipeError:
            process.wait()
        killer.cancel()
        codes[number] = process.returncode

    threads = [threading.Thread(target=push, args=(number,)) for number in range(len(machines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def stored_bytes(machine):
    return sum(size for name, size in machine.objects().items() if name.startswith(("packs/", "index/")))


def test_pushes_at_once_and_killed_ones_disturb_nobody(machines, full_run, dice):
    first = machines[0]
    first.push("base", BASE, *QUICK)
    allowed_bytes = stored_bytes(first)
    committed = collections.Counter()
    siblings = 0
    wanted = {sha256_hex(BASE)}
    for number in range(20 if full_run else 4):
        equal = BASE + dice.randbytes(NEW_BYTES)
        data = [equal if stream == "same" else BASE + dice.randbytes(NEW_BYTES) for stream in STREAMS]
        kill_seconds = [dice.uniform(0.05, 1.0) if dice.random() < 0.4 and number % 2 else None for _ in machines]
        codes = push_all(machines, data, kill_seconds)
        assert set(codes) <= {0, -signal.SIGKILL}, codes
        for stream, code in zip(STREAMS, codes, strict=True):
            committed[stream] += code == 0
        # Neither of two equal pushes could know of the other, and a killed one may have stored all it had.
        allowed_bytes += NEW_BYTES * len(machines)
        wanted |= {sha256_hex(item) for item in data}
        if not any(kill_seconds):
            twins = [s["sequence"] for s in first.snapshots() if s["stream"] == "same"][-2:]
            siblings += twins[0] == twins[1]  # unless one ended before the other began
    assert siblings > 0, "pushes at once follow the same snapshot"
    snapshots = first.snapshots()
    for stream in set(STREAMS):
        assert sum(s["stream"] == stream for s in snapshots) >= committed[stream]
    for snapshot in snapshots:
        assert sha256_hex(first.pull(snapshot["id"])) in wanted
    assert stored_bytes(first) <= 1.05 * allowed_bytes
    # No machine mistakes siblings for a rollback.
    for machine in machines:
        machine.run("verify", "--read-only", "--expect-head")
    assert all(code == 0 for code in push_all(machines, [BASE] * len(machines), [None] * len(machines)))
    first.run("verify", "--read-data", "--read-only")
    print(f"{len(snapshots)} snapshots, {dict(committed)} pushes ended well")
