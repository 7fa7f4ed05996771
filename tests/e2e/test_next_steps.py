"""What a failure tells to do next can be done, and helps."""

import shutil

import pytest
from repository import sample_bytes

STREAM = "pg/app"
DATA = sample_bytes(900_000)


def flip(path, offset=100):
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def next_step(outcome):
    lines = [line for line in outcome.err.splitlines() if line.startswith("  next step: ")]
    return lines[-1] if lines else ""


@pytest.mark.local_only("damages files")
@pytest.mark.parametrize("lost", ["config", "keys"])
def test_a_repository_that_cannot_be_opened_is_not_sent_to_verify(new_repository, lost):
    drs = new_repository()
    drs.run("init")
    drs.push(STREAM, DATA)
    if lost == "config":
        flip(drs.path / "config/00000001")
        scrubbed = drs.run("scrub", "--read-only", expect=4).out.decode()
        assert "first put back what is damaged below config/ and keys/" in scrubbed
    else:
        shutil.rmtree(drs.path / "keys")
    for command in (["verify", "--read-data"], ["list"], ["stats"], ["pull", STREAM], ["push", STREAM]):
        step = next_step(drs.run(*command, expect=4))
        assert "from a replica of the repository or a backup of its config/ and keys/" in step, (command, step)
        assert "verify" not in step
