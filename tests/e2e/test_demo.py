"""scripts/demo: what it prints, what it leaves, and that the commands it ends with work."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from postgres_server import INITDB

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """Runs of scripts/demo with the program under test. `scratch` is where they may make temporary directories."""

    def __init__(self, binary, folder, scratch):
        self.folder = folder
        self.scratch = scratch
        self.environment = {**os.environ, "TZ": "UTC", "DRSTREAM_BUILD": str(binary.parents[1]), "TMPDIR": str(scratch)}

    def start(self, rows):
        return subprocess.Popen(
            ["scripts/demo", "--rows", str(rows), "--folder", str(self.folder)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def servers(self):
        """The command lines of PostgreSQL servers below `scratch`."""
        found = []
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = line.read_text().split("\0")
            except OSError:  # it has ended meanwhile
                continue
            if words[0].endswith("/postgres") and str(self.scratch) in "\0".join(words):
                found.append(words)
        return found

    def assert_nothing_is_left(self):
        assert not self.servers()
        assert not list(self.scratch.iterdir())


@pytest.fixture
def demo(binary, missing, tmp_path):
    if not INITDB.exists():
        missing("PostgreSQL 15 is not installed")
    scratch = Path(tempfile.mkdtemp(prefix="drstream-e2e-demo-"))  # the user postgres cannot enter tmp_path
    scratch.chmod(0o755)
    yield Demo(binary, tmp_path / "demo", scratch)
    shutil.rmtree(scratch, ignore_errors=True)


def test_the_demo_proves_the_restore_and_ends_with_commands_that_work(demo):
    with demo.start(rows=2000) as process:
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    assert "the stream equals what pg_dump wrote, byte for byte\n" in said
    assert "the restored database equals the original, table by table\n" in said
    assert not re.search(r"\bLOG:|\bWARNING:|database system|^(initdb|pg_ctl|psql|could)\b", said, re.MULTILINE), said
    demo.assert_nothing_is_left()

    heading, block = said[said.rindex("\n== ") :].removeprefix("\n== ").split("\n", 1)
    assert heading.startswith("try next")
    assert 3 <= len(block.splitlines()) <= 5
    pasted = subprocess.run(["bash", "-ec", block], cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False, timeout=100)
    assert pasted.returncode == 0, pasted
    assert re.findall(r" \+00:00  (\S+) ", pasted.stdout) == ["pg/app", "pg/app", "docs"], pasted.stdout
    assert "no snapshot was made" in pasted.stderr
    assert "\n./FORMAT.md\n" in pasted.stdout


def test_a_demo_that_fails_names_the_log_of_the_server(demo):
    with demo.start(rows="many") as process:
        said = process.communicate(timeout=100)[0]
    assert process.returncode not in (0, 130), said
    log = demo.folder / "postgres.log"
    assert said.rstrip().endswith(str(log))
    assert "ready to accept connections" in log.read_text()
    demo.assert_nothing_is_left()


def test_ctrl_c_leaves_no_server(demo):
    with demo.start(rows=100_000) as process:
        deadline = time.monotonic() + 60
        while not demo.servers():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.rstrip().endswith(f"the PostgreSQL server is gone, {demo.folder} stays"), said
    demo.assert_nothing_is_left()
