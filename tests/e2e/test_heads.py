"""What this machine has seen of a repository, and what it says when that is gone: heads, and gaps that manifests know."""

import json
import os
import shutil
import subprocess
import threading

import pytest
from campaign_support import QUICK
from repository import sample_bytes

DATA = sample_bytes(100_000)


def push(repository, *options, stream="s", **settings):
    return repository.push(stream, DATA, *QUICK, *options, **settings)


def from_env(source):
    return {"BACKUP_FROM_ENCRYPTION_KEY": source.key}


@pytest.mark.local_only("a path is bytes")
def test_a_path_that_is_no_utf8_gets_its_snapshots_and_heads(drs, new_repository):
    odd = new_repository("odd", key=drs.key)
    odd.path = odd.folder / os.fsdecode(b"repo\xff")
    odd.run("init")
    first = push(odd)
    again = odd.run("push", "s", "--also", drs.path, "--memory", "256MiB", input=DATA)
    assert b"no snapshot" not in again.out and "library failed" not in again.err
    odd.run("verify", "--expect-head", first["head"])
    odd.run("verify", "--expect-head")
    odd.json("list"), odd.json("doctor"), odd.json("stats"), odd.run("pull", "s", "--log-format", "json")
    # The head of one place is not that of another with a similar name.
    newest = odd.json("show", "s")["manifest"]
    odd.remove_object(newest)
    assert "its head is in" in odd.run("verify", expect=13).out.decode()


@pytest.mark.every_store
def test_a_deletion_that_was_seen_is_not_forgotten_by_the_next_pushes(drs):
    for _ in range(5):
        newest = push(drs)
    drs.remove_object(newest["manifest"])
    for _ in range(2):
        outcome = drs.run("push", "s", input=DATA)
        assert "sequence 5 was seen" in outcome.err and "is gone" in outcome.err
    outcome = drs.run("verify", expect=13)
    assert newest["manifest"] in outcome.out.decode()
    # The way out that the message names.
    (head,) = (drs.state / "heads").rglob("*.json")
    assert str(head) in outcome.out.decode()
    head.unlink()
    assert "warning" not in drs.run("push", "s", "--exec", "--", "echo", "data").err
    drs.run("verify", "--expect-head")


def overlapping_pushes(drs):
    """Two that know nothing of each other: the second runs from start to end while the first reads its stream."""
    slow = drs.start("push", "s", "--json", *QUICK, stdin=subprocess.PIPE)
    slow.stdin.write(DATA * 4)  # more than a pipe holds: when this returns, the push has made its lists
    slow.stdin.flush()
    fast = push(drs)
    out, err = slow.communicate(timeout=60)
    assert slow.returncode == 0, err
    return json.loads(out), fast


@pytest.mark.parametrize("deleted", [0, 1])
def test_of_two_pushes_that_overlapped_neither_can_be_deleted_unseen(drs, deleted):
    push(drs)
    siblings = overlapping_pushes(drs)
    assert [one["sequence"] for one in siblings] == [2, 2]
    drs.run("verify", "--expect-head")
    objects = {name: drs.read_object(name) for name in drs.names("manifests")}
    gone = siblings[deleted]["manifest"]
    drs.remove_object(gone)
    assert gone in drs.run("verify", expect=13).out.decode()
    assert gone in drs.run("pull", "s", expect=13).err
    assert gone in drs.run("list").err
    # Nor once a later push follows one of them.
    drs.write_object(gone, objects[gone])
    drs.run("verify")
    follower = push(drs)
    for name in [one["manifest"] for one in siblings]:
        drs.remove_object(name)
        assert name in drs.run("verify", expect=13).out.decode()
        assert drs.pull(follower["id"]) == DATA
        drs.write_object(name, objects[name])
    drs.run("verify")


def test_the_number_of_a_snapshot_that_was_deleted_is_not_given_again(drs):
    push(drs)
    newest = push(drs)
    drs.remove_object(newest["manifest"])
    assert push(drs)["sequence"] == newest["sequence"] + 1
    drs.run("verify", expect=13)


@pytest.mark.every_store
def test_a_manifest_that_is_spoiled_and_deleted_after_a_push_is_a_deletion(drs):
    for _ in range(3):
        newest = push(drs)
    drs.write_object(newest["manifest"], b"garbage\n")
    push(drs)
    drs.remove_object(newest["manifest"])
    outcome = drs.run("verify", expect=13)
    assert newest["manifest"] in outcome.out.decode() and "could not be read" in outcome.out.decode()
    assert newest["manifest"] in drs.run("list").err
    assert drs.pull("s") == DATA
    drs.run("pull", newest["id"], expect=13)


def test_many_manifests_that_cannot_be_read_block_no_pull_and_fill_no_screen(drs):
    name = push(drs)["manifest"]
    for number in range(1100):
        drs.write_object(f"{name.rpartition('-')[0]}-{number:032x}", b"g\n")
    for _ in range(2):
        err = drs.run("push", "s", input=DATA).err
        assert len(err.splitlines()) < 30 and "1100 manifests" in err, err[:2000]
    assert drs.pull("s") == DATA
    assert len(drs.run("list").err.splitlines()) < 30
    warnings = drs.json("list")["warnings"]
    assert len(warnings) < 30 and "1100 manifests" in warnings[-1]


@pytest.mark.local_only("a directory can be moved")
def test_a_replica_whose_original_is_gone_is_used_with_a_warning(drs, new_repository):
    replica = new_repository("replica")
    replica.run("init", "--replica-of", drs.path, env=from_env(drs))
    push(drs)
    replica.run("copy", "--from-repository", drs.path, env=from_env(drs))
    push(drs)
    drs.path.rename(drs.folder / "gone")
    same_machine = {"DRSTREAM_STATE_DIR": str(drs.state)}
    outcome = replica.run("pull", "s", env=same_machine)
    assert outcome.out == DATA and "may be a replica that lags behind" in outcome.err
    assert "lags behind" in replica.run("verify", env=same_machine).out.decode()
    # A directory that was moved has the key slot that its heads name.
    drs.path = drs.folder / "gone"
    drs.run("verify", "--expect-head")
    drs.remove_object(drs.json("show", "s")["manifest"])
    drs.run("verify", expect=13)
    drs.run("pull", "s", expect=13)


@pytest.mark.local_only("the state directory is made unusable")
def test_a_head_that_cannot_be_remembered_takes_no_snapshot_back(drs):
    push(drs)
    shutil.rmtree(drs.state)
    drs.state.write_text("no folder")
    outcome = drs.run("push", "s", input=DATA)
    assert "keep the one printed" in outcome.err
    assert len(drs.snapshots()) == 2


def test_what_is_pushed_while_a_pull_lists_is_no_loss(drs):
    """A head that is newer than the list is looked for again: 40 pulls beside pushes that end all the time."""
    drs.push("s", b"0")
    stop = threading.Event()

    def pushes():
        while not stop.is_set():
            drs.push("s", os.urandom(8))

    pusher = threading.Thread(target=pushes)
    pusher.start()
    try:
        for _ in range(40):
            assert "was seen" not in drs.run("list", "s").err
            drs.run("pull", "s")
    finally:
        stop.set()
        pusher.join()
