"""Disks that lose power: a file system of our own in a file, mounted through a loop device.

The cut makes the loop device as short as its first page, under the mounted file system: I/O in flight fails, every
later read or write fails, and what the file system had not written by then, it never writes. That is its view of a
machine that loses power. Then it is unmounted, gets its device back as that was, and replays its log.
"""

import contextlib
import fcntl
import os
import struct
import subprocess

import pytest

KINDS = {  # and what its mkfs needs
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
IMAGE_BYTES = {"ext4": 128 << 20, "xfs": 320 << 20, "btrfs": 256 << 20}  # mkfs.xfs refuses less than 300 MiB
LOOP_MAJOR = 7
LOOP_SET_STATUS64 = 0x4C04
LOOP_GET_STATUS64 = 0x4C05
LOOP_INFO64_BYTES = 232
SIZE_LIMIT_AT = 32  # in it


class Disk:
    def __init__(self, kind, folder, missing):
        self.kind = kind
        self.image = folder / "disk.img"
        self.path = folder / "disk"
        self.path.mkdir()
        self.missing = missing
        self.device = None

    def make(self):
        """A new, empty file system."""
        self.unmount()
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES[self.kind])
        try:
            subprocess.run([*KINDS[self.kind], self.image], check=True, capture_output=True)
        except FileNotFoundError:
            self.missing(f"no {KINDS[self.kind][0]} here")
        self.mount()

    def mount(self):
        attach = subprocess.run(["losetup", "--find", "--show", self.image], capture_output=True, text=True, check=False)
        if attach.returncode != 0:
            self.missing(f"no loop device here: {attach.stderr.strip()}")
        self.device = attach.stdout.strip()
        mounted = subprocess.run(["mount", "-t", self.kind, self.device, self.path], capture_output=True, text=True,
                                 check=False)
        if mounted.returncode != 0:
            self.detach()
            self.missing(f"no mount of {self.kind} here: {mounted.stderr.strip()}")

    def detach(self):
        subprocess.run(["losetup", "--detach", self.device], check=True)
        self.device = None

    def unmount(self):
        if self.device:
            subprocess.run(["umount", self.path], check=True)
            self.detach()

    def cut_power(self):
        with open(self.device, "rb+", buffering=0) as device:
            info = bytearray(LOOP_INFO64_BYTES)
            fcntl.ioctl(device, LOOP_GET_STATUS64, info)
            struct.pack_into("=Q", info, SIZE_LIMIT_AT, 4096)
            fcntl.ioctl(device, LOOP_SET_STATUS64, bytes(info))

    def come_back(self):
        self.unmount()
        self.mount()


def make_loop_nodes():
    """Containers may have the driver and no nodes."""
    if os.geteuid() != 0:
        pytest.skip("loop devices and mounting take root")
    for number in range(8):
        with contextlib.suppress(OSError):
            os.mknod(f"/dev/loop{number}", 0o60600, os.makedev(LOOP_MAJOR, number))


@pytest.fixture(params=KINDS)
def disk(request, tmp_path, missing):
    make_loop_nodes()
    made = Disk(request.param, tmp_path, missing)
    yield made
    made.unmount()
