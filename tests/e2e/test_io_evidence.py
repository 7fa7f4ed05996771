"""Evidence by strace that `push --file` moves its data through io_uring with registered buffers and nothing else."""

import re

import pytest
from campaign_support import strace
from repository import sample_bytes

OPERATION_BYTES_MAX = 2 << 20
DATA = sample_bytes(100_000_000)  # more than the buffers hold, so that registering them pays
BESIDE = ["pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "read", "write", "sendfile", "splice"]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(DATA)
    return path


def moved_bytes(trace, calls):
    """What these calls returned in all: bytes moved."""
    returned = re.findall(rf"(?:{'|'.join(calls)})(?:\(| resumed>).*\) += (\d+)$", trace, re.MULTILINE)
    return sum(map(int, returned))


@pytest.mark.local_only("packs are written through io_uring too")
def test_a_file_goes_through_io_uring_with_registered_buffers_and_nothing_else(drs, source, missing, tmp_path):
    if drs.json("version")["io_backend"] != "uring":
        pytest.skip("this kernel or container forbids io_uring")
    trace = tmp_path / "trace"
    watched = ["io_uring_setup", "io_uring_enter", "io_uring_register", *BESIDE, "fcntl"]
    # A file for each thread: in a common one, a call that another thread's interrupts is torn into two lines.
    launcher = strace(missing, "-ff", "-o", trace, "-e", f"trace={','.join(watched)}")
    drs.run("push", "s", "--file", source, "--io", "uring", "--compression", "none", launcher=launcher)
    text = "".join(path.read_text() for path in tmp_path.glob("trace.*"))
    enters = re.findall(r"io_uring_enter\(\d+, (\d+), .*= (\d+)$", text, re.MULTILINE)
    submitted = sum(int(count) for _, count in enters)
    registered = re.findall(r"io_uring_register\(\d+, IORING_REGISTER_BUFFERS.*= 0$", text, re.MULTILINE)
    # Everything but the payload: libraries, configuration, small answers.
    beside = moved_bytes(text, BESIDE)
    print(f"{submitted} operations in {len(enters)} io_uring_enter calls, {len(registered)} registrations of buffers, "
          f"{beside} bytes by other calls, for {len(DATA)} bytes of payload")  # fmt: skip
    assert submitted >= 2 * len(DATA) / OPERATION_BYTES_MAX  # every byte is read, and written
    assert len(registered) == 2  # for reading the file, and for writing packs
    assert beside < len(DATA) / 50
    assert re.search(r"fcntl\(\d+, F_SETFL, .*O_DIRECT.* = 0$", text, re.MULTILINE), "not read with O_DIRECT"
    assert drs.pull("s") == DATA
