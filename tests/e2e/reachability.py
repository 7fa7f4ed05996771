"""Which stored blocks the newest snapshots need, and what the others hold: as the independent reader finds it.

It stands for a prune that removes packs of which nothing is needed any more, and moves the live blocks out of others.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine/format"))

import independent_reader  # noqa: E402


@dataclass
class Freed:
    """Of the bytes in packs, what all snapshots but the newest few held alone."""

    whole_packs_bytes: int = 0  # packs without a live block: deleted at once
    dead_blocks_bytes: int = 0  # dead blocks in packs that have live ones too: freed by moving those
    unused_bytes: int = 0  # sealed bytes, in proportion, of dead chunks in live blocks: not freed, a block moves whole


def covered_bytes(intervals):
    """The length of the union of (begin, end) pairs."""
    total = reached = 0
    for begin, end in sorted(intervals):
        total += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return total


class Reachability:
    def __init__(self, repository):
        self.repository = independent_reader.Repository(repository)
        self.repository.unlock({1: bytes.fromhex(repository.key)})
        self.repository.load_blocks(from_packs=False)
        self.manifests = self.repository.manifests()  # oldest first
        self.packs = defaultdict(list)  # name -> [(id of a block, its record)]
        for block_id, claims in self.repository.blocks.items():
            for block in claims:
                self.packs[block.pack].append((block_id, block))

    def needed(self, newest):
        """The ids of the blocks that the `newest` last snapshots need, with (begin, end) of each run in data blocks."""
        found = defaultdict(set)
        for manifest in self.manifests[-newest:]:
            for stream in manifest.streams:
                for recipe, _, _ in stream.parts:
                    found[recipe] = set()
                for block_id, _, _, begin, run_bytes in self.repository.runs(stream):
                    found[block_id].add((begin, begin + run_bytes))
        return found

    def decoded_once_bytes(self):
        """What decoding each data block that the newest snapshot needs once, and keeping it, would decode."""
        return sum(self.repository.blocks[block_id][0].raw_bytes for block_id, runs in self.needed(1).items() if runs)

    def freed_by_keeping(self, newest):
        needed = self.needed(newest)
        freed = Freed()
        for name, blocks in self.packs.items():
            dead_bytes = sum(block.sealed_bytes for block_id, block in blocks if block_id not in needed)
            live = [(block_id, block) for block_id, block in blocks if block_id in needed]
            if not live:
                freed.whole_packs_bytes += self.repository.objects[name]
                continue
            freed.dead_blocks_bytes += dead_bytes
            for block_id, block in live:
                if needed[block_id]:
                    used_share = covered_bytes(needed[block_id]) / block.raw_bytes
                    freed.unused_bytes += round(block.sealed_bytes * (1 - used_share))
        return freed
