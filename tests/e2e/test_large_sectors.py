"""A disk whose sectors are larger than what O_DIRECT is given here: all data goes through the page cache, and works."""

import os
import subprocess

import pytest
from disks import make_loop_nodes
from repository import Repository, sample_bytes

SECTOR_BYTES = 16384
IMAGE_BYTES = 320 << 20  # XFS takes no less
DATA = sample_bytes(9_000_123, seed=3)


@pytest.fixture
def large_sectors(tmp_path, missing):
    """A folder on an XFS of 16 KiB sectors."""
    make_loop_nodes()
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    image.touch()
    os.truncate(image, IMAGE_BYTES)
    folder.mkdir()

    def run(*command):
        return subprocess.run(command, capture_output=True, text=True, check=False)

    device = run("losetup", "--find", "--show", "--sector-size", str(SECTOR_BYTES), image)
    if device.returncode != 0:
        missing(f"no loop device here: {device.stderr.strip()}")
    loop = device.stdout.strip()
    try:
        if run("blockdev", "--getss", loop).stdout.strip() != str(SECTOR_BYTES):
            pytest.skip("this kernel has no loop devices of 16 KiB sectors (before Linux 6.15)")
        made = run("mkfs.xfs", "-q", "-s", f"size={SECTOR_BYTES}", "-b", f"size={SECTOR_BYTES}", loop)
        if made.returncode != 0:
            missing(f"mkfs.xfs: {made.stderr.strip()}")
        mounted = run("mount", loop, folder)
        if mounted.returncode != 0:
            pytest.skip(f"this kernel does not mount XFS of 16 KiB sectors: {mounted.stderr.strip()}")
        yield folder
        run("umount", folder)
    finally:
        run("losetup", "--detach", loop)


@pytest.mark.parametrize("io", ["auto", "posix"])
def test_dumps_repositories_and_restores_lie_on_disks_of_large_sectors(binary, large_sectors, tmp_path, io):
    repository = Repository(binary, tmp_path)
    repository.path = large_sectors / "data"
    repository.variables["DRSTREAM_IO"] = io
    repository.run("init")
    dump, restored = large_sectors / "dump", large_sectors / "restored"
    dump.write_bytes(DATA)
    repository.run("push", "s", "--file", dump)
    repository.run("pull", "s", "-o", restored)
    assert restored.read_bytes() == DATA
    repository.run("verify", "--read-data")
    repository.run("scrub")
    checks = {check["name"]: check for check in repository.json("doctor")["checks"]}
    assert checks["writing"]["state"] == "ok"
    assert checks["o-direct"]["state"] == "notice"
    assert "page cache" in checks["o-direct"]["detail"]
