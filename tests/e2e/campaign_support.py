"""What the campaigns share: a ledger of committed snapshots, random SIGKILLs, strace, and peaks of memory.

A campaign runs at a small size in every test run and at its full size by `scripts/campaign`. Each prints what it did.
Its trials pass through `share`, so that --part divides them, and its chances come from `dice` or `--seed`.
"""

import os
import resource
import shutil
import signal
import subprocess
import threading
import time

from repository import TIMEOUT_SECONDS, sha256_hex

STREAM = "s"
# Stored as they are: what a campaign needs is many writes, not many seconds of compression.
QUICK = ["--compression", "none"]


class Ledger:
    """The snapshots that exist, and the SHA-256 of what each must restore to."""

    def __init__(self, repository):
        self.repository = repository
        self.held = {}

    def push(self, data, *options, **settings):
        report = self.repository.push(STREAM, data, *QUICK, *options, **settings)
        self.held[report["id"]] = sha256_hex(data)
        return report

    def take_stock(self, *attempted):
        """After a push of one of `attempted` that may have died: all that was there is there, and what is new is
        one of these streams, whole. Returns the new ids."""
        listed = {snapshot["id"] for snapshot in self.repository.snapshots()}
        assert set(self.held) <= listed, f"lost: {set(self.held) - listed}"
        fresh = listed - set(self.held)
        assert len(fresh) <= 1, fresh
        digests = {sha256_hex(data) for data in attempted}
        for snapshot in fresh:
            self.held[snapshot] = sha256_hex(self.repository.pull(snapshot))
            assert self.held[snapshot] in digests, f"{snapshot} is visible and not whole"
        return fresh

    def restore(self, snapshot):
        assert sha256_hex(self.repository.pull(snapshot)) == self.held[snapshot]

    def restore_first(self):
        self.restore(next(iter(self.held)))

    def prove(self):
        """Everything restores, every stored block decodes, no digest is wrong."""
        for snapshot in self.held:
            self.restore(snapshot)
        self.repository.run("verify", "--read-data", "--read-only", "--expect-head")
        self.repository.run("scrub", "--read-only")


def kill_after(repository, seconds, *arguments, stdin, env=None):
    """Starts the command, kills its process group after so long. Its exit code, and what it printed until then."""
    process = repository.start(*arguments, stdin=stdin, env=env, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
    return process.returncode, out


def strace(missing, *options):
    """A launcher that runs a command under `strace -f`; skips without strace or without permission to trace."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    launcher = ["strace", "-f", "-qq", *map(str, options)]
    probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL, check=False)
    if probe.returncode != 0:
        missing("ptrace is not permitted here")
    return launcher


def _status_bytes(pid, *fields):
    """Fields of /proc/PID/status that stand in kB, in bytes; nothing once the process has ended."""
    found = {}
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                name, _, rest = line.partition(":")
                if name in fields:
                    found[name] = int(rest.split()[0]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


class PeakMemory:
    """Watches a process until `wait`: the most that was resident, by itself and without its children, and in huge
    pages of their own, which count as resident nowhere."""

    INTERVAL_SECONDS = 0.005

    def __init__(self, process):
        self.process = process
        self.resident_bytes = 0
        self.huge_bytes = 0
        self.done = threading.Event()
        self.watcher = threading.Thread(target=self._watch)
        self.watcher.start()

    def _watch(self):
        while not self.done.wait(self.INTERVAL_SECONDS):
            found = _status_bytes(self.process.pid, "VmHWM", "HugetlbPages")
            self.resident_bytes = max(self.resident_bytes, found.get("VmHWM", 0))
            self.huge_bytes = max(self.huge_bytes, found.get("HugetlbPages", 0))

    def wait(self):
        """The exit code. The kernel's own account at the end closes the gap after the last look, unless what it tells
        is this process: a child begins with the peak of the one that it was forked from."""
        deadline = time.monotonic() + 30 * TIMEOUT_SECONDS
        pid = 0
        while pid == 0 and time.monotonic() < deadline:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            time.sleep(0.005)
        self.done.set()
        self.watcher.join()
        if pid == 0:
            self.process.kill()
            raise AssertionError("the command did not end")
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
            self.resident_bytes = max(self.resident_bytes, usage.ru_maxrss * 1024)
        return self.process.returncode

    @property
    def total_bytes(self):
        return self.resident_bytes + self.huge_bytes
