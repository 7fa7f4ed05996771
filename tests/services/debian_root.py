"""Root file systems of Debian releases, made once with debootstrap. Tests work in overlays, so the roots stay as they
are.

A root has the lists of packages of the day it was made, and keeps the packages that tests install (`ARCHIVES`).
"""

import shutil
import subprocess

from services.cache import cache_folder, install_once, run_installer

# Beside the smallest system (minbase).
FURTHER_PACKAGES = {
    "bookworm": [],
    "bookworm-systemd": ["systemd", "systemd-sysv", "dbus", "man-db"],
    "bullseye-postgresql": ["postgresql", "procps", "strace"],
    "trixie-postgresql": ["postgresql", "procps", "strace", "libnss-resolve", "libnss-myhostname", "libnss-mdns"],
}
ARCHIVES = "var/cache/apt/archives"


def install(name):
    """The folder of the root `name`; raises Unavailable where it cannot be made."""
    return install_once(f"debian-{name}", lambda folder: make(name, folder))


def make(name, folder):
    release = name.split("-")[0]
    run_installer("debootstrap", "--variant=minbase", release, folder)
    never_start = folder / "usr/sbin/policy-rc.d"  # no package starts its service
    never_start.write_text("#!/bin/sh\nexit 101\n")
    never_start.chmod(0o755)
    shutil.copyfile("/etc/resolv.conf", folder / "etc/resolv.conf")
    apt(folder, "update")
    if FURTHER_PACKAGES[name]:
        apt(folder, "install", "-y", "--no-install-recommends", *FURTHER_PACKAGES[name])
        apt(folder, "clean")


def apt(root, *arguments):
    run_installer(*in_root(root, "apt-get", "-q", *arguments), DEBIAN_FRONTEND="noninteractive")


def archives_folder():
    """Packages that apt has fetched, shared by all roots and runs."""
    folder = cache_folder() / "debian-archives"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return folder


def in_root(root, *command, read_only=False, mounts=()):
    """The words that run `command` in `root`, in namespaces of mounts and processes that end with it. `mounts`: pairs
    of a folder and where it stands in the root."""
    lines = ["set -e", "root=$1; shift", "mount --make-rprivate /", 'mount --bind "$root" "$root"']
    for folder, place in mounts:
        lines += [f'mkdir -p "$root/{place}"', f'mount --bind "{folder}" "$root/{place}"']
    lines += [
        'mkdir -p "$root/proc" "$root/dev"',
        'mount -t proc proc "$root/proc"',
        'mount -t tmpfs tmpfs "$root/dev"',
    ]
    for device in ["null", "zero", "full", "random", "urandom"]:
        lines += [f': >"$root/dev/{device}"', f'mount --bind /dev/{device} "$root/dev/{device}"']
    lines += ['ln -s /proc/self/fd "$root/dev/fd"']
    if read_only:
        lines += ['mount -o remount,bind,ro "$root"', 'mount -o remount,ro "$root/dev"']
    lines += ['exec chroot "$root" "$@"']
    return [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        "\n".join(lines),
        "sh",
        str(root),
        *command,
    ]


class Overlay:
    """What is written over a root, in `folder`; `path` is the whole. A context manager."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.path = folder / "root"

    def __enter__(self):
        for part in ["root", "upper", "work"]:
            (self.folder / part).mkdir()
        layers = f"lowerdir={self.root},upperdir={self.folder}/upper,workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.path], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.path], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command, expect=0, input="", env=None, **how):
        """Runs to the end; stdout and stderr as text."""
        words = in_root(
            self.path,
            "/usr/bin/env",
            "-i",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND=noninteractive",
            *(f"{k}={v}" for k, v in (env or {}).items()),
            *map(str, command),
            **how,
        )
        done = subprocess.run(words, input=input, capture_output=True, text=True, check=False, timeout=600)
        shown = f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == expect, shown
        return done
