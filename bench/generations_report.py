"""What bench/generations found, as Markdown."""

import os
import statistics
import subprocess
from dataclasses import dataclass, field

import measure

MIB = 1 << 20
HINT_BYTES = 12  # of the table in memory, for each known chunk

MODELS_TEXT = """\
Rows are named after the count of generations and the model of churn. *uniform*: edits of 8 bytes, spread evenly over
the stream; *each time* is the share of chunks that they change. *skewed*: as many edits, 80 % of them in the first
fifth of the stream, 80 % of these in the first fifth of that, and so on, so that fewer chunks change. *append*: the
stream grows at its end by a share of its first size, and in its last tenth lie as many edits as would change the
share of all chunks that is named. The stream is text, as in a dump, in which no chunk comes twice."""

STORED_TEXT = """\
*stream* is the size of the first and, where it grows, of the last. *first* is what packs hold after the first push,
*all* what they hold after the last, also as a multiple of the first. *each whole* is the same multiple had every
generation been compressed by `zstd -1` and kept whole. *new* is the mean share of a push's bytes that was not stored
before, *rewritten* the mean share that was stored once more because the blocks that held it had become sparse."""

RESTORED_TEXT = """\
Each was pulled to a file after the last push, and the file had the SHA-256 of the file that was pushed; a difference
ends the benchmark. *decoded* is how many bytes were decompressed for each byte restored, at the `--memory` in the head
of the column: 1 means that all blocks read hold nothing else. *each block once* is what it would be if every block that
the newest needs were decoded once and kept; where *decoded* is more, `--memory` was too little for the blocks that are
needed again, and they were read and decoded again."""

PUSHED_TEXT = """\
*chunks* is how many are stored after the last push, each copy of a rewritten one counted, *index stored* the size of
the index objects. *index in memory* is 12 bytes for each chunk: the entries in the table of known chunks, which grows
up to a fifth of `--memory` and is filled to three quarters at most. *peak* is the most that the last push had
resident, everything included. *push* is wall time, without the time to change the stream; *CPU* is what all stages of
a push used together, in the median."""

DROPPED_TEXT = """\
What goes when all snapshots but the newest 7, or but the newest, are dropped. *whole packs* hold nothing that a kept
snapshot needs and go at once. *dead blocks* lie in packs that live on: a prune frees them by moving the pack's live
blocks. *freed* is both, as a share of all packs. *unused* is what stays: dead chunks in live blocks, which go when
rewriting has emptied those, counted as their block's share of stored bytes. All counted with the reader written from
docs/FORMAT.md, not by drstream."""


@dataclass
class Pull:
    decoded_ratio: float
    seconds: float


@dataclass
class Outcome:
    """One model of churn, over so many generations."""

    churn: str
    change: str  # in words
    generations: int
    bytes: list = field(default_factory=list)  # of the stream; one entry for each push, as in the next four
    new_shares: list = field(default_factory=list)
    rewritten_shares: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    cpu_seconds: list = field(default_factory=list)
    first_packs_bytes: int = 0
    packs_bytes: int = 0
    zstd_ratio: float = 0  # `zstd -1` of the last generation, to its size
    index_bytes: int = 0
    chunks: int = 0
    peak_bytes: int = 0
    newest: Pull = None
    newest_default: Pull = None  # with drstream's own --memory
    newest_decoded_once_ratio: float = 0
    oldest: Pull = None
    freed: dict = field(default_factory=dict)  # count of kept snapshots -> reachability.Freed

    @property
    def title(self):
        return f"{self.generations} {self.churn}"


def mib(count_bytes):
    value = count_bytes / MIB
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def percent(share):
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else f"{100 * share:.3f} %"


def stored_table(outcomes):
    rows = []
    for o in outcomes:
        sizes = sorted({o.bytes[0], o.bytes[-1]})
        whole = o.zstd_ratio * sum(o.bytes) / o.first_packs_bytes
        again = slice(1, None)
        rows.append([
            o.title, o.change, " → ".join(mib(size) for size in sizes), mib(o.first_packs_bytes), mib(o.packs_bytes),
            f"{o.packs_bytes / o.first_packs_bytes:.2f}", f"{whole:.1f}", percent(statistics.mean(o.new_shares[again])),
            percent(statistics.mean(o.rewritten_shares[again])),
        ])  # fmt: skip
    heads = ["churn", "each time", "stream, MiB", "first, MiB", "all, MiB", "all / first", "each whole / first", "new",
             "rewritten"]  # fmt: skip
    return measure.table(heads, rows).rstrip()


def restored_table(outcomes, memories):
    given, default = memories
    rows = []
    for o in outcomes:
        values = [o.newest_decoded_once_ratio]
        for pull in (o.newest, o.newest_default, o.oldest):
            values += [pull.decoded_ratio, pull.seconds]
        rows.append([o.title, *(f"{value:.2f}" for value in values)])
    heads = ["churn", "newest: each block once", f"{given}: decoded", "s", f"{default}: decoded", "s",
             f"oldest, {given}: decoded", "s"]  # fmt: skip
    return measure.table(heads, rows).rstrip()


def pushed_table(outcomes):
    rows = [
        [o.title, f"{o.chunks:,}", mib(o.index_bytes), mib(o.chunks * HINT_BYTES), mib(o.peak_bytes),
         f"{o.seconds[0]:.2f}", f"{statistics.median(o.seconds):.2f}", f"{o.seconds[-1]:.2f}",
         f"{statistics.median(o.cpu_seconds):.2f}"]
        for o in outcomes
    ]  # fmt: skip
    heads = ["churn", "chunks", "index stored, MiB", "index in memory, MiB", "peak, MiB", "push: first, s", "median, s",
             "last, s", "CPU, s"]  # fmt: skip
    return measure.table(heads, rows).rstrip()


def dropped_table(outcomes):
    rows = []
    for o in outcomes:
        for kept, freed in o.freed.items():
            both = freed.whole_packs_bytes + freed.dead_blocks_bytes
            rows.append([
                o.title, str(kept), mib(o.packs_bytes), mib(freed.whole_packs_bytes), mib(freed.dead_blocks_bytes),
                percent(both / o.packs_bytes), mib(o.packs_bytes - both), mib(freed.unused_bytes),
            ])  # fmt: skip
    heads = ["churn", "kept", "packs, MiB", "whole packs, MiB", "dead blocks, MiB", "freed", "left, MiB",
             "of it unused, MiB"]  # fmt: skip
    return measure.table(heads, rows).rstrip()


def machine(folder):
    file_system = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout
    return (
        f"Machine: {measure.machine()},\n"
        f"{file_system.strip()}; niceness {os.nice(0)}, load before it began {os.getloadavg()[0]:.1f}."
    )


def markdown(outcomes, missing, command, memories, machine_text, version_text, elapsed_seconds):
    parts = [
        "# Generations",
        f"What a stream that is pushed again and again stores, and what it costs to restore and to drop. Made on\n"
        f"{measure.today()} in {elapsed_seconds / 60:.1f} minutes by",
        f"```\n{command}\n```",
        f"{machine_text} Everything with `--memory {memories[0]}` where a column names no other.",
        f"```\n{version_text.strip()}\n```",
        MODELS_TEXT,
    ]
    if missing:
        parts.append(f"Cut short: {', '.join(missing)} had not ended when this was written.")
    sections = [
        ("Stored", stored_table(outcomes), STORED_TEXT),
        ("Restored", restored_table(outcomes, memories), RESTORED_TEXT),
        ("Pushed", pushed_table(outcomes), PUSHED_TEXT),
        ("Dropped", dropped_table(outcomes), DROPPED_TEXT),
    ]
    for title, rows, text in sections:
        parts += [f"## {title}", rows, text]
    return "\n\n".join(parts) + "\n"
