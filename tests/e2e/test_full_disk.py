"""A disk that fills up at any point, and one that is read-only: exit 5, earlier snapshots whole, nothing to repair."""

import json
import os
import shutil
import subprocess

import pytest
from repository import Repository, sample_bytes

FIRST = sample_bytes(1_000_000, seed=1)
SECOND = os.urandom(6_000_000)
DISK_BYTES = 16 << 20


@pytest.fixture
def disk(tmp_path):
    """A file system of 16 MiB, mounted for the test; and a function that mounts it again with other options."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "drstream-e2e", str(path)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("this container may not mount")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def leave_free(disk, free_bytes):
    """Fills the disk with a file until only so much is free."""
    ballast = disk / "ballast"
    state = os.statvfs(disk)
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, state.f_bavail * state.f_frsize - free_bytes)
    return ballast


def sizes(full_run):
    return [number * 310_000 for number in range(20)] if full_run else [0, 4096, 100_000, 1_500_000, 5_890_000]


@pytest.fixture
def on_disk(binary, disk, tmp_path):
    repository = Repository(binary, disk)
    repository.state = tmp_path / "state"  # heads live on another disk
    begin(repository)
    return repository


def begin(repository):
    """A repository with one snapshot, in place of the one that was there."""
    for folder in (repository.path, repository.state):
        shutil.rmtree(folder, ignore_errors=True)
    repository.run("init")
    repository.push("s", FIRST)


def test_doctor_ends_with_5_on_a_full_disk_and_on_a_read_only_one(on_disk, disk):
    ballast = leave_free(disk, 0)
    assert "writing: " in on_disk.run("doctor", expect=5).err
    ballast.unlink()
    on_disk.run("doctor")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "Read-only file system" in on_disk.run("doctor", expect=5).err


@pytest.mark.parametrize("io", ["auto", "posix"])
def test_a_full_disk_stops_the_push_and_loses_nothing(on_disk, disk, full_run, share, io):
    options = ["--io", io, "--compression", "none"]
    for free_bytes in share(sizes(full_run)):
        begin(on_disk)  # without the packs that the push before left and this one would use
        ballast = leave_free(disk, free_bytes)
        outcome = on_disk.run("push", "s", *options, input=SECOND, expect=5)
        assert "space" in outcome.err
        assert "no snapshot was made" in outcome.err
        assert [snapshot["sequence"] for snapshot in on_disk.snapshots()] == [1]
        assert on_disk.pull("s") == FIRST
        on_disk.run("verify", "--read-data", "--read-only", "--expect-head")
        ballast.unlink()
        assert on_disk.push("s", SECOND, *options)["sequence"] == 2
        assert on_disk.pull("s") == SECOND
        on_disk.run("verify", "--read-data", "--expect-head")


def test_a_full_disk_behind_pull_leaves_no_part_of_a_file(on_disk, disk, tmp_path):
    (disk / "out").mkdir()
    on_disk.push("big", SECOND, "--compression", "none")
    leave_free(disk, 2_000_000)
    on_disk.run("pull", "big", "-o", disk / "out" / "file", expect=5)
    assert list((disk / "out").iterdir()) == []
    on_disk.run("pull", "big", "-o", tmp_path / "elsewhere")


def test_a_disk_that_is_full_before_init_is_told(binary, disk, tmp_path):
    repository = Repository(binary, disk)
    repository.state = tmp_path / "state"
    ballast = leave_free(disk, 0)
    repository.run("init", expect=5)
    ballast.unlink()
    repository.run("init")
    repository.push("s", FIRST)


def test_a_read_only_repository_can_be_read_and_not_pushed_to(on_disk, disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    outcome = on_disk.run("push", "s", input=SECOND, expect=5)
    assert "Read-only file system" in outcome.err
    assert on_disk.pull("s") == FIRST
    on_disk.run("list")
    on_disk.run("verify", "--read-data", "s")
    on_disk.run("scrub")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    on_disk.push("s", SECOND)


def test_forget_and_prune_bring_a_full_disk_back(on_disk, disk):
    """Pushes fill the disk until one fails; then space comes back, also that of the failed pushes."""
    ids = []
    for _ in range(20):
        outcome = on_disk.run("push", "s", "--json", "--compression", "none", input=os.urandom(1_500_000), expect=(0, 5))
        if outcome.code != 0:
            break
        ids.append(json.loads(outcome.out)["id"])
    assert outcome.code == 5 and len(ids) > 3
    on_disk.run("push", "s", "--compression", "none", input=SECOND, expect=5)
    on_disk.run("forget", *ids[:-1])
    freed = on_disk.json("prune", "--exclusive", "--undo", "0")
    assert freed["deleted"]["packs"] > 0
    on_disk.push("s", os.urandom(1_500_000))
    on_disk.json("prune", "--min-age", "0", "--grace", "0", "--undo", "0")
    on_disk.json("prune", "--min-age", "0", "--grace", "0", "--undo", "0")
    space = on_disk.json("stats")["space"]
    assert space["packs_bytes"] <= 1.15 * space["live_bytes"]
    on_disk.run("verify", "--read-data", "--read-only")


def test_where_not_even_a_mark_can_be_written_the_index_makes_room(on_disk, disk):
    """What docs/DELETION.md says."""
    ids = [on_disk.push("s", os.urandom(1_500_000), "--compression", "none")["id"] for _ in range(3)]
    ballast = leave_free(disk, 0)
    on_disk.run("forget", ids[0], expect=5)
    on_disk.remove_all("index")
    on_disk.run("forget", ids[0], ids[1])
    assert on_disk.json("prune", "--exclusive", "--undo", "0")["deleted"]["packs"] > 0
    on_disk.run("repair", "index")
    on_disk.run("verify", "--read-data", "--read-only")
    ballast.unlink()
