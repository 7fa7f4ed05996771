"""A stream pushed again and again, a few of its chunks new each time: what 30 generations store, and what it costs to
restore the newest.

The churn is the worst there is for blocks of many chunks: 11 % of the chunks, evenly scattered, so that after some
generations every block holds bytes that the newest no longer uses. Pushes rewrite blocks that have become too sparse.
"""

import random
import subprocess
import sys
from pathlib import Path

from churn import scatter_edits
from repository import sha256_hex

MAKE_STREAM = Path(__file__).with_name("make_stream.py")
CHURN = 0.11
GENERATIONS = 30
STORED_RATIO_MAX = 5.5
DECODED_RATIO_MAX = 1.9


def test_30_generations_of_scattered_churn_stay_small_and_quick_to_restore(drs, full_run, tmp_path):
    size = (1024 if full_run else 48) << 20
    path = tmp_path / "image"
    with open(path, "wb") as file:
        subprocess.run([sys.executable, MAKE_STREAM, str(size), "11"], stdout=file, check=True)
    source = random.Random(29)
    stored = []
    for generation in range(GENERATIONS):
        if generation > 0:
            scatter_edits(path, source, CHURN)
        report = drs.json("push", "vm/disk", "--file", path, "--memory", "96MiB")
        stored.append(report["stored_bytes"])
        rewritten_share = report["rewritten_bytes"] / size  # known, but in blocks that had become sparse
        new_share = report["new_bytes"] / size - rewritten_share
        print(f"{generation}: {report['seconds']:.2f} s, new {new_share:.3f}, stored {stored[-1] / stored[0]:.3f} of the "
              f"first, rewritten {rewritten_share:.3f}")  # fmt: skip
        assert generation == 0 or CHURN - 0.01 < new_share < CHURN + 0.01
    target = tmp_path / "restored"
    newest = drs.json("pull", "vm/disk", "-o", target, "--memory", "96MiB")
    assert sha256_hex(target.read_bytes()) == sha256_hex(path.read_bytes())
    stored_ratio = sum(stored) / stored[0]
    decoded_ratio = newest["decoded_bytes"] / size
    on_disk = sum(size for name, size in drs.objects().items() if name.startswith("packs/"))
    print(f"{GENERATIONS} generations of {size >> 20} MiB: stored {stored_ratio:.2f} times the first "
          f"({on_disk >> 20} MiB of packs), the newest restores in {newest['seconds']:.1f} s, decoding "
          f"{decoded_ratio:.3f} bytes per byte")  # fmt: skip
    assert on_disk <= 1.02 * sum(stored)
    assert stored_ratio <= STORED_RATIO_MAX
    assert decoded_ratio <= DECODED_RATIO_MAX
