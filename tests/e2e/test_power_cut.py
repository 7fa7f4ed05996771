"""Power cuts: an ext4 of our own forgets all that its journal and disk do not hold yet; what was committed restores.

EXT4_IOC_SHUTDOWN without flushing the log is the file system's view of a machine that loses power: running
transactions are gone, unwritten pages are gone, every later write fails. Then it is mounted again and its journal
replayed.
"""

import contextlib
import fcntl
import json
import os
import random
import struct
import subprocess
import threading
import time

import pytest
from campaign_support import QUICK, STREAM, Ledger
from repository import Repository, sample_bytes

EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = struct.pack("I", 2)
IMAGE_BYTES = 128 << 20
CUTS_PER_DISK = 20  # then the disk is made anew, before it is full
LOOP_MAJOR = 7


class Disk:
    """An ext4 in a file, mounted through a loop device that ends with the mount."""

    def __init__(self, folder, missing):
        self.image = folder / "disk.img"
        self.path = folder / "disk"
        self.path.mkdir()
        self.missing = missing
        self.mounted = False

    def make(self):
        self.unmount()
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        self.mount()

    def mount(self):
        command = ["mount", "-o", "loop", self.image, self.path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.missing(f"no loop mount here: {done.stderr.strip()}")
        self.mounted = True

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", self.path], check=True)
            self.mounted = False

    def cut_power(self):
        root = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(root, EXT4_IOC_SHUTDOWN, NOLOGFLUSH)
        os.close(root)

    def come_back(self):
        self.unmount()
        self.mount()


@pytest.fixture
def disk(tmp_path, missing):
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    for number in range(8):
        # Containers may have the driver and no nodes.
        with contextlib.suppress(OSError):
            os.mknod(f"/dev/loop{number}", 0o60600, os.makedev(LOOP_MAJOR, number))
    disk = Disk(tmp_path, missing)
    yield disk
    disk.unmount()


def push_through_a_cut(repository, disk, data, seconds, options):
    """Pushes while the power goes after so long. The exit code, and the snapshot's id when push claimed one."""
    process = repository.start("push", STREAM, *QUICK, *options, "--json", stdin=subprocess.PIPE)
    cut = threading.Timer(seconds, disk.cut_power)
    cut.start()
    out, err = process.communicate(data)
    cut.join()
    assert process.returncode in (0, 5), err.decode()
    return json.loads(out)["id"] if process.returncode == 0 else None


@pytest.mark.parametrize("io", ["auto", "posix"])
def test_a_power_cut_loses_nothing_that_was_committed(binary, disk, tmp_path, full_run, io):
    cuts = 50 if full_run else 4
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    moments = random.Random(seed)
    interrupted = committed = half_seen = 0
    repository = ledger = None
    for number in range(cuts):
        if number % CUTS_PER_DISK == 0:
            disk.make()
            folder = tmp_path / f"heads-{number}"
            folder.mkdir()
            repository = Repository(binary, folder)
            repository.path = disk.path / "data"
            repository.run("init")
            ledger = Ledger(repository)
            ledger.push(sample_bytes(1_000_000), "--io", io)
            started = time.monotonic()
            ledger.push(os.urandom(2_500_000), "--io", io)
            push_seconds = time.monotonic() - started
        data = os.urandom(2_500_000)
        if number % 2 == 0:
            seconds = moments.uniform(0.005, push_seconds)
            claimed = push_through_a_cut(repository, disk, data, seconds, ["--io", io])
            interrupted += claimed is None
        else:
            claimed = repository.push(STREAM, data, *QUICK, "--io", io)["id"]
            disk.cut_power()
        disk.come_back()
        fresh = ledger.take_stock(data)
        assert claimed is None or claimed in fresh, "push said that it was done, and the snapshot is gone"
        committed += claimed is not None
        half_seen += claimed is None and len(fresh)
        ledger.prove()
        # Nothing has to be repaired before the next push.
        ledger.push(sample_bytes(500_000, seed=number), "--io", io)
    print(
        f"{cuts} power cuts: {interrupted} interrupted a push ({half_seen} of those had just been committed), "
        f"{committed} followed a commit; nothing was lost"
    )
