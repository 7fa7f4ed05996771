"""What each stage costs by itself: the micro-benchmarks of stages_bench, run and read, and two public programs as a gauge."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import measure

STAGES_BENCH = measure.RELEASE / "bench" / "stages_bench"
# Nanoseconds per byte of plaintext that the design counted with, measured on its machine with these two gauges there.
DESIGN = {"read": 0.25, "cut": 0.24, "hash": 0.26, "sha256": 0.58, "compress": 2.1, "decode": 0.67, "seal": 0.06}
DESIGN_SHA256 = 0.58
DESIGN_ZSTD = 2.1
DESIGN_RATIO = 3.6  # sealing is counted per stored byte here, per plaintext byte there
RATIO_MAX = 1.25  # a limit made of slow stages would prove nothing

BENCHMARKS = {
    "read": ("pipe-read",),
    "write": ("pipe-write",),
    "cut": ("cut",),
    "hash": ("hash/ipsec-mb:128", "hash/openssl"),
    "sha256": ("sha256",),
    "xxh3": ("xxh3",),
    "compress": ("compress/zstd:1",),
    "decode": ("decode/zstd:1",),
    "seal": ("seal/ipsec-mb", "seal/openssl"),
    "open": ("open/ipsec-mb", "open/openssl"),
}
PACK_WRITE = ("pack-write/uring/direct", "pack-write/posix/direct")
LOOK_UPS = {"known": "look-up/1000000/hit", "new": "look-up/1000000/miss"}


def run_benchmarks(data, repetitions, smoke):
    """Medians, {benchmark: nanoseconds of CPU per byte}."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        names = [name for choices in BENCHMARKS.values() for name in choices]
        wanted = "|".join(f"^{name}/" for name in [*names, *PACK_WRITE]) + "|^look-up/1000000/"
        command = [STAGES_BENCH, f"--benchmark_filter={wanted}",
                   f"--benchmark_out={out}", "--benchmark_out_format=json", f"--benchmark_repetitions={repetitions}"]  # fmt: skip
        if smoke:
            command.append("--benchmark_min_time=0.001")
        environment = {**os.environ, "DRSTREAM_BENCH_DATA": str(data)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise measure.Failed(f"stages_bench failed:\n{done.stderr[-2000:]}")
        runs = json.loads(out.read_text())["benchmarks"]
    costs = {}
    for entry in runs:
        if entry.get("error_occurred"):
            raise measure.Failed(f"{entry['name']}: {entry['error_message']}")
        if entry["run_type"] != "iteration":
            continue
        name = entry["run_name"].removesuffix("/real_time")
        timed_by = "real_time" if name != entry["run_name"] else "cpu_time"
        byte_count = entry["bytes_per_second"] * entry[timed_by] / 1e9
        costs.setdefault(name, []).append(entry["cpu_time"] / byte_count)
    return {name: measure.median(values) for name, values in costs.items()}


class StageCosts:
    """Nanoseconds of CPU per byte of each stage, for each data set."""

    def __init__(self, data, repetitions=5, smoke=False):
        self.by_benchmark = run_benchmarks(data, repetitions, smoke)
        self.data = data

    def cost(self, stage, data_set):
        return next(self.by_benchmark[f"{name}/{data_set}"] for name in BENCHMARKS[stage]
                    if f"{name}/{data_set}" in self.by_benchmark)  # fmt: skip

    def pack_write(self):
        return next(self.by_benchmark[f"{name}/random"] for name in PACK_WRITE
                    if f"{name}/random" in self.by_benchmark)  # fmt: skip

    def look_up(self, which):
        return self.by_benchmark[LOOK_UPS[which]]

    def gauge(self):
        """[(stage, cost here, the design's cost scaled to this machine)] for the SQL dump."""
        sha256 = openssl_sha256_cost() / DESIGN_SHA256
        zstd = zstd_cost(self.data / "sql-dump") / DESIGN_ZSTD
        rows = []
        for stage, cost in DESIGN.items():
            scale = zstd if stage in ("compress", "decode") else sha256
            scale *= DESIGN_RATIO if stage == "seal" else 1
            rows.append((stage, self.cost(stage, "sql-dump"), cost * scale))
        return rows


def openssl_sha256_cost():
    command = ["openssl", "speed", "-seconds", "1", "-bytes", "1048576", "-evp", "sha256"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return 1e6 / float(re.search(r"^sha256\s+([\d.]+)k", out, re.MULTILINE | re.IGNORECASE)[1])


def zstd_cost(path):
    """Of level 1 in blocks of 1 MiB, as `zstd -b1 -B1048576` reports it."""
    out = subprocess.run(["zstd", "-b1", "-i2", "-B1048576", path], capture_output=True, text=True, check=True)
    return 1e3 / float(re.findall(r"([\d.]+) MB/s", out.stdout + out.stderr)[-2])
