"""What a machine or a manifest has no room for ends in order: by an exit code that is documented, and never by an abort
after a whole dump."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from repository import sample_bytes

HERE = Path(__file__).parent
BUSY = 11
USAGE = 2


def test_a_long_command_is_recorded_with_a_mark_that_says_so(drs):
    drs.run("push", "s", "--exec", "--", "sh", "-c", "echo hello", "x" * 100_000)
    command = drs.snapshots()[-1]["command"]
    assert len(command) == 16 * 1024
    assert command.startswith("sh -c 'echo hello' xxx") or command.startswith("sh -c echo hello xxx")
    assert command.endswith("xxx [cut: it had %d bytes]" % (100_000 + len(command.split("xxx")[0])))
    assert drs.pull("s") == b"hello\n"


@pytest.mark.parametrize("options", [["--require-trailer", "x" * 70_000],
                                     [o for i in range(100) for o in ("--tag", f"key{i}={'v' * 1000}")]],
                         ids=["pattern", "tags"])  # fmt: skip
def test_what_no_snapshot_can_record_is_refused_before_the_source_runs(drs, tmp_path, options):
    ran = tmp_path / "ran"
    outcome = drs.run("push", "s", *options, "--exec", "--", "touch", ran, expect=USAGE)
    assert "a snapshot records at most" in outcome.err
    assert not ran.exists()
