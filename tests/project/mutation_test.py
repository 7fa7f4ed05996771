"""Whether every mutation of tests/mutations can still be applied, and names a test that exists."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_mutation_can_be_applied():
    done = subprocess.run([ROOT / "scripts/mutations", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 80
