"""Sixty days of a churned stream with retention: the space that packs take, beside a fresh repository of the same
snapshots, and what restoring the newest costs."""

import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from churn import scatter_edits
from removals import AT_ONCE, packs_bytes
from repository import Repository, sha256_hex

MAKE_STREAM = Path(__file__).with_name("make_stream.py")
CHURN = 0.05
DAYS = 60
KEEP = ["--keep-hourly", "24", "--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "12"]
PACKS_RATIO_MAX = 1.15
DECODED_RATIO_MAX = 1.9


def test_sixty_days_of_churn_take_little_more_than_what_is_live(drs, binary, full_run, tmp_path):
    size = (512 if full_run else 24) << 20
    path = tmp_path / "image"
    with open(path, "wb") as file:
        subprocess.run([sys.executable, MAKE_STREAM, str(size), "11"], stdout=file, check=True)
    source = random.Random(29)
    first = datetime(2026, 9, 1, 2, 0, tzinfo=timezone.utc)
    digests = {}
    for day in range(DAYS):
        if day > 0:
            scatter_edits(path, source, CHURN)
        time = (first + timedelta(days=day)).isoformat()
        report = drs.json("push", "vm/disk", "--file", path, "--time", time)
        digests[report["id"]] = sha256_hex(path.read_bytes())
        drs.run("forget", *KEEP, "--timezone", "UTC", "--force")
        drs.json("prune", *AT_ONCE)
    for _ in range(2):
        drs.json("prune", *AT_ONCE)
    space = drs.json("stats")["space"]
    ratio = space["packs_bytes"] / space["live_bytes"]
    kept = [snapshot["id"] for snapshot in drs.snapshots()]
    newest = drs.json("pull", "vm/disk", "-o", tmp_path / "restored")
    decoded_ratio = newest["decoded_bytes"] / size
    for snapshot in kept:
        assert sha256_hex(drs.pull(snapshot)) == digests[snapshot]
    drs.run("verify", "--read-data", "--read-only")
    folder = tmp_path / "fresh"
    folder.mkdir()
    fresh = Repository(binary, folder)
    fresh.run("init")
    for snapshot in kept:
        fresh.push("vm/disk", drs.pull(snapshot))
    beside = packs_bytes(drs) / packs_bytes(fresh)
    print(f"{DAYS} days of {size >> 20} MiB, {CHURN:.0%} churn: {len(kept)} snapshots kept, packs "
          f"{space['packs_bytes'] >> 20} MiB, {ratio:.3f} of live, {beside:.3f} of a fresh repository; the newest decodes "
          f"{decoded_ratio:.3f} bytes per byte")  # fmt: skip
    assert ratio <= PACKS_RATIO_MAX
    assert decoded_ratio <= DECODED_RATIO_MAX
