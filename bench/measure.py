"""Measuring commands: wall time, CPU time and memory of a shell pipeline, its output compared byte for byte, medians,
the machine in words, and the options and streams that bench/race and bench/roofline share."""

import argparse
import ctypes
import fcntl
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RELEASE = ROOT / "build" / "release"
# Of bench/make-data, by what reports call them.
STREAMS = {"SQL dump": "sql-dump", "base backup": "base-backup", "programs": "binaries", "random": "random"}
SMOKE_ROWS = 10_000
F_SETPIPE_SZ = 1031  # from linux/fcntl.h
PIPE_BYTES = 1 << 20
LIBC = ctypes.CDLL(None)
LIBC.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


@dataclass
class Run:
    """One run of a command. CPU seconds are those of all processes of the pipeline, memory that of the largest."""

    wall: float
    cpu: float
    memory_bytes: int
    out: bytes = b""


class Failed(Exception):
    pass


def read_all(pipe):
    return b"".join(iter(lambda: pipe.read(PIPE_BYTES), b""))


def compare(pipe, path):
    """Reads the pipe to its end. What it gives must be the file, byte for byte."""
    got, expected = bytearray(PIPE_BYTES), bytearray(PIPE_BYTES)
    got_address, expected_address = (ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in (got, expected))
    at = 0
    with open(path, "rb", buffering=0) as file:
        while count := pipe.readinto(got):
            # Python itself compares byte by byte what is no `bytes`.
            same = file.readinto(memoryview(expected)[:count]) == count
            if not same or LIBC.memcmp(got_address, expected_address, count) != 0:
                raise Failed(f"the output differs from {path} after byte {at}")
            at += count
        if file.read(1):
            raise Failed(f"the output ends after {at} of {path.stat().st_size} bytes")
    return b""


def warm(path):
    """Reads a file, so that the page cache holds it."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(PIPE_BYTES)
        while file.readinto(buffer):
            pass


def run(command, environment, expected=None, sync=None):
    """Runs a line of bash. `expected`: a file that its output must equal. `sync`: a folder whose file system is synced
    before, and again within the time that counts."""
    if sync:
        subprocess.run(["sync", "--file-system", sync], check=True)
    began = time.monotonic()
    line = f"set -o pipefail; {command}"
    with open(os.devnull, "rb") as nothing:
        child = subprocess.Popen(["bash", "-c", line], stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=environment, bufsize=0)  # fmt: skip
    fcntl.fcntl(child.stdout.fileno(), F_SETPIPE_SZ, PIPE_BYTES)
    # What these tools say on stderr fits its pipe.
    out = compare(child.stdout, expected) if expected else read_all(child.stdout)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if sync and not child.returncode:
        subprocess.run(["sync", "--file-system", sync], check=True)
    wall = time.monotonic() - began
    error = child.stderr.read().decode(errors="replace")
    child.stdout.close()
    child.stderr.close()
    if child.returncode != 0:
        raise Failed(f"exit {child.returncode}: {command}\n{error[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out)


def cpu_seconds(process):
    """Of a process that runs: user and system, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """CPU seconds of everything that runs on this machine, since its start."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields)) - idle) / os.sysconf("SC_CLK_TCK")


def median(values):
    return statistics.median(values)


def spread(values, unit=""):
    return f"{median(values):.2f}{unit} ({min(values):.2f} to {max(values):.2f})"


def folder_bytes(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def table(header, rows, numbers_from=1):
    """A Markdown table; the columns before `numbers_from` are text, the others numbers."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * numbers_from + "---:|" * (len(header) - numbers_from)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def machine():
    """CPU, cores, memory and kernel in one line."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) / (1 << 20)
    return (f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB of memory, "
            f"Linux {platform.release()}")  # fmt: skip


def commit():
    described = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return described.stdout.strip() or "unknown"


def today():
    return time.strftime("%Y-%m-%d", time.gmtime())


def parser(description):
    """The options that every benchmark of whole commands has."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--rows", type=int, default=1_500_000, help="of the database that is dumped, 600 bytes each")
    made.add_argument("--data", type=Path, help="a folder for the streams (default build/bench-data)")
    made.add_argument("--scratch", type=Path, help="a folder on the disk to be measured (default: beside the data)")
    made.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    made.add_argument("--drstream", type=Path, default=RELEASE / "tools" / "drstream")
    made.add_argument("--smoke", action="store_true", help="little data, one round, nothing written")
    return made


def prepare(arguments, *programs):
    """Takes the options in: the programs are there, the data is made, `data` and `scratch` are folders."""
    if arguments.smoke:
        arguments.rounds, arguments.rows = 1, SMOKE_ROWS
    for program in (arguments.drstream, *programs):
        if not program.exists():
            sys.exit(f"{program} is not there; run scripts/bench --build")
    arguments.drstream = arguments.drstream.resolve()
    folder = arguments.data or ROOT / "build" / (f"bench-data-{SMOKE_ROWS}" if arguments.smoke else "bench-data")
    # What is there is kept.
    subprocess.run([ROOT / "bench" / "make-data", folder, str(arguments.rows)], check=True, stdout=subprocess.DEVNULL)
    arguments.data = folder.resolve()
    arguments.scratch = arguments.scratch or arguments.data


def write_results(arguments, results):
    """{file name: text}; a smoke run leaves nothing behind."""
    if arguments.smoke:
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, text in results.items():
        (arguments.output / name).write_text(text)
