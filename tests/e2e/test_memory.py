"""Peak memory: what is resident, plus huge pages, stays within --memory and 32 MiB for the program itself, in a folder
and in MinIO.

At full size with streams of 4 GiB at zstd 1, and of 256 MiB at zstd 19: there the compressor's contexts are the largest
and it takes minutes for a GiB; buffers are the same from the first segments on. The larger index is made up
(big_index.cc): packs that are never read, and an index object for each 4096 of their blocks.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from campaign_support import STREAM, PeakMemory
from repository import random_key
from services.minio import Minio

MIB = 1 << 20
PROGRAM_BYTES = 32 * MIB
MAKE_STREAM = Path(__file__).with_name("make_stream.py")

FULL = os.environ.get("DRSTREAM_TEST_FULL") == "1"
STREAM_BYTES = {"zstd:1": (4096 if FULL else 300) * MIB, "zstd:19": 256 * MIB}
if FULL:
    CASES = [(level, memory, threads) for level in STREAM_BYTES for memory in (96, 256, 1024) for threads in (1, 2, 64)]
else:
    CASES = [("zstd:1", 96, 2), ("zstd:1", 96, 64), ("zstd:1", 256, 64)]
BUCKET_CASES = [(96, 2), (256, 64)] if FULL else [(96, 2)]
BIG_INDEX_CHUNKS = 2_100_000 if FULL else 150_000


class Gauge:
    """Runs commands on one repository and notes the peak of each."""

    def __init__(self, repository, memory_mib, threads):
        self.repository = repository
        self.limit_bytes = memory_mib * MIB + PROGRAM_BYTES
        self.options = ["--memory", f"{memory_mib}MiB", "--threads", threads]
        self.peaks = {}

    def check(self, title, process, stderr_path, expect=0):
        peak = PeakMemory(process)
        code = peak.wait()
        said = stderr_path.read_text()
        assert code == expect, f"{title}: exit {code}\n{said[:2000]}"
        self.peaks[title] = peak
        print(f"{title:18} {' '.join(map(str, self.options))}: {peak.resident_bytes / MIB:7.1f} MiB resident, "
              f"{peak.huge_bytes / MIB:.1f} MiB huge, limit {self.limit_bytes / MIB:.0f}")  # fmt: skip
        return said

    def start(self, *arguments, **settings):
        path = self.repository.folder / "stderr"
        with open(path, "wb") as err:
            return self.repository.start(*arguments, *self.options, stderr=err, **settings), path

    def push(self, stream_bytes, seed, *options, title="push"):
        maker = [sys.executable, MAKE_STREAM, str(stream_bytes), str(seed)]
        with subprocess.Popen(maker, stdout=subprocess.PIPE) as made:
            process, err = self.start("push", STREAM, *options, stdin=made.stdout, stdout=subprocess.DEVNULL)
            made.stdout.close()
            said = self.check(title, process, err)
        assert self.repository.snapshots()[-1]["bytes"] == stream_bytes
        return said

    def pull(self):
        process, err = self.start("pull", STREAM)
        with subprocess.Popen(["sha256sum"], stdin=process.stdout, stdout=subprocess.PIPE) as hashed:
            process.stdout.close()
            self.check("pull", process, err)
            digest = hashed.stdout.read().split()[0].decode()
        assert digest == self.repository.snapshots()[-1]["sha256"]

    def verify(self, *options, expect=0):
        title = " ".join(["verify", *options])
        self.check(title, *self.start("verify", *options, stdout=subprocess.DEVNULL), expect=expect)

    def scrub(self):
        self.check("scrub", *self.start("scrub", stdout=subprocess.DEVNULL))

    def assert_bounded(self):
        over = {title: peak.total_bytes for title, peak in self.peaks.items() if peak.total_bytes > self.limit_bytes}
        assert over == {}, f"above {self.limit_bytes} bytes: {over}"


@pytest.mark.parametrize("level, memory_mib, threads", CASES)
def test_peak_memory_stays_within_the_ceiling(drs, level, memory_mib, threads):
    gauge = Gauge(drs, memory_mib, threads)
    said = gauge.push(STREAM_BYTES[level], threads + memory_mib, "--compression", level)
    if threads == 64 and memory_mib < 1024:
        assert "of 64 threads" in said, "workers were reduced without a notice"
    gauge.pull()
    gauge.verify("--read-data")
    gauge.verify("--read-data", STREAM)
    gauge.scrub()
    gauge.assert_bounded()


@pytest.fixture(params=["http", "https"])
def remote(request, provide, certificates, new_s3_repository):
    """A repository in a MinIO of its own, whose files are removed at once: pytest keeps the folders of its last runs,
    and MinIO keeps what was deleted for minutes."""
    with provide(Minio, *([certificates] if request.param == "https" else [])) as server:
        repository = new_s3_repository(server)
        repository.run("init")
        yield repository
    shutil.rmtree(server.folder)


@pytest.mark.parametrize("memory_mib, threads", BUCKET_CASES)
def test_peak_memory_stays_within_the_ceiling_over_a_network(remote, memory_mib, threads):
    gauge = Gauge(remote, memory_mib, threads)
    spool = remote.folder / "spool"
    gauge.push(STREAM_BYTES["zstd:1"] // 4, 1, "--spool", spool, "--spool-size", "100MiB", title="push --spool")
    gauge.push(STREAM_BYTES["zstd:1"], memory_mib + threads)
    gauge.pull()
    gauge.verify("--read-data")
    gauge.verify("--read-data", STREAM)
    gauge.scrub()
    gauge.assert_bounded()


@pytest.fixture(scope="module")
def big_index_program(binary, missing):
    build = Path(os.environ.get("DRSTREAM_BUILD", binary.parents[1]))
    path = Path(os.environ.get("DRSTREAM_BIG_INDEX", build / "tests/e2e/big_index"))
    if not path.exists():
        missing(f"{path} is not built: scripts/build release --target big_index")
    return path


@pytest.mark.local_only("packs that nobody wrote")
@pytest.mark.parametrize("memory_mib", [96, 256, 1024] if FULL else [96])
def test_peak_memory_stays_within_the_ceiling_in_a_large_repository(new_repository, big_index_program, memory_mib):
    repository = new_repository(key=random_key())
    repository.run("init")
    fill = [big_index_program, repository.path, str(BIG_INDEX_CHUNKS)]
    subprocess.run(fill, env=repository.environment(), check=True)
    gauge = Gauge(repository, memory_mib, 2)
    gauge.push((1024 if FULL else 64) * MIB, 7)
    gauge.pull()
    gauge.verify()
    # Its packs are sparse files: reading them finds damage, which is reported within the same memory.
    gauge.verify("--read-data", "--read-only", expect=4)
    gauge.assert_bounded()
    # What is new beside so many known chunks is known the next time.
    again = repository.json("push", "again", *gauge.options[:2], input=b"x" * 1_000_000)
    assert repository.json("push", "again", *gauge.options[:2], input=b"x" * 1_000_000)["new_bytes"] == 0
    assert again["bytes"] == 1_000_000
