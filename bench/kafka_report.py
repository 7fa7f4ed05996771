"""The page that bench/kafka writes."""

import os
import shlex
import sys
import textwrap

import measure
from measure import median, spread

LIMIT_SHARE_MIN = 0.85
SECOND_SHARE_MAX = 0.05
SECOND_FREE_SECONDS = 2
STORED_SHARES_MAX = {100: 0.9, 300: 0.95, 1000: 1.0}
QUIET_CORES = 0.1
STAGES = "stages"


def size_text(size):
    return f"{size // 1024} KB" if size >= 1024 else f"{size // 1000} KB" if size >= 1000 else f"{size} B"


def whole(values):
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def verdict(reached, aim, at_least):
    return "met" if (reached >= aim if at_least else reached <= aim) else "missed"


class Page:
    def __init__(self, bench, missing):
        self.bench = bench
        self.missing = missing
        self.cores = len(os.sched_getaffinity(0))
        self.sizes = [size for size in bench.arguments.sizes if (size, "bare consumer") in bench.samples]

    def samples(self, size, case):
        return self.bench.samples.get((size, case), [])

    def pairs(self, size, case, other):
        """The runs of two cases in the same round."""
        return list(zip(self.samples(size, case), self.samples(size, other)))

    def core_rates(self, size, left=False):
        """Records a second that the cores can do, by round: cores / CPU seconds of client, broker and stages a record.
        The stages are what `archive` uses beyond the bare client. `left`: of the cores that other work left free."""
        out = []
        for own, bare in self.pairs(size, "archive", "bare consumer"):
            client, broker = bare.cpu / bare.records, bare.broker_cpu / bare.records
            stages = max(own.cpu / own.records - client, 0)
            cores = self.cores - own.other_cores if left else self.cores
            out.append(max(cores, 0.01) / (client + broker + stages))
        return out

    def archive_shares(self, size, left=False):
        """Of the smaller of both limits, by round."""
        pairs = self.pairs(size, "archive", "bare consumer")
        return [own.rate / min(bare.rate, cores) for (own, bare), cores in zip(pairs, self.core_rates(size, left))]

    def ratios(self, size, case, other):
        return [a.rate / b.rate for a, b in self.pairs(size, case, other)]

    def stored_shares(self, size):
        return [own.stored_bytes / self.bench.rows_stored[size] for own in self.samples(size, "archive")]

    def aims(self):
        rows = []

        def add(text, aim, reached, at_least=True):
            sign = "at least" if at_least else "at most"
            rows.append([text, f"{sign} {aim:.2f}", spread(reached), verdict(median(reached), aim, at_least)])

        for size in self.sizes:
            add(f"archive, {size_text(size)}: of the smaller limit", LIMIT_SHARE_MIN, self.archive_shares(size))
        for size in self.sizes:
            add(f"restore, {size_text(size)}, not read back: of the bare producer", LIMIT_SHARE_MIN,
                self.ratios(size, "restore, not read back", "bare producer"))
        if not self.quiet():
            for row in rows:
                row[-1] = "open: see below"
        for size in self.sizes:
            pairs = self.pairs(size, "second archive", "archive")
            add(f"second archive, {size_text(size)}: stored bytes of the first's", SECOND_SHARE_MAX,
                [second.stored_bytes / first.stored_bytes for second, first in pairs], False)
            add(f"second archive, {size_text(size)}: seconds beyond {SECOND_FREE_SECONDS} of the first's",
                SECOND_SHARE_MAX,
                [max(second.wall - SECOND_FREE_SECONDS, 0) / first.wall for second, first in pairs], False)
        for size, share in STORED_SHARES_MAX.items():
            if self.samples(size, "archive"):
                add(f"stored, {size_text(size)}: of plain rows under zstd 1", share, self.stored_shares(size), False)
        return measure.table(["aim", "", "reached", ""], rows)

    def limits(self):
        rows = []
        for size in self.sizes:
            own, bare = self.samples(size, "archive"), self.samples(size, "bare consumer")
            rows.append([
                size_text(size), spread([s.rate / 1e3 for s in own]), spread([s.rate / 1e3 for s in bare]),
                spread([rate / 1e3 for rate in self.core_rates(size)]), spread(self.archive_shares(size)),
                spread([sample.other_cores for sample in own]), spread(self.archive_shares(size, left=True)),
            ])  # fmt: skip
        return measure.table(["records of", "archive, k/s", "bare consumer, k/s", "limit of the cores, k/s",
                              "archive, of the smaller", "cores used by others", "of the smaller, for the cores left"],
                             rows)  # fmt: skip

    def other_cores(self):
        return [sample.other_cores for samples in self.bench.samples.values() for sample in samples]

    def quiet(self):
        return median(self.other_cores()) < QUIET_CORES

    def others(self):
        """What else ran."""
        used = self.other_cores()
        if self.quiet():
            return "The machine did nothing else."
        return (f"The machine was not idle: other work used {median(used):.1f} of its {self.cores} cores in the middle of the "
                f"runs ({min(used):.1f} to {max(used):.1f}). All rates are lower for it, that of an archive more than that "
                "of the bare consumer, which does not need all cores. So this run does not decide the aims about rates. The "
                "last column sets the archive against the cores that were left; on a busy machine it is near 1 whatever "
                "the program does. CPU seconds and stored bytes depend little on what else runs.")  # fmt: skip

    def costs(self):
        rows = []
        for size in self.sizes:
            pairs = self.pairs(size, "archive", "bare consumer")
            parts = [
                [bare.cpu / bare.records for _, bare in pairs],
                [bare.broker_cpu / bare.records for _, bare in pairs],
                [own.cpu / own.records - bare.cpu / bare.records for own, bare in pairs],
                [own.broker_cpu / own.records for own, _ in pairs],
            ]
            rows.append([size_text(size), *(whole([value * 1e9 for value in part]) for part in parts)])
        return measure.table(["records of", "bare client, ns", "broker, ns", f"{STAGES}, ns", "broker during archive, ns"],
                             rows)  # fmt: skip

    def stage_costs(self):
        """What `--json` says of the stages of the last archive. The rest is hashing and encoding of records."""
        rows, names = [], []
        for size in self.sizes:
            own, bare = self.pairs(size, "archive", "bare consumer")[-1]
            stages = {name.replace("_", " "): stage["cpu_ns"] / own.records
                      for name, stage in own.details["stats"]["stages"].items() if stage["cpu_ns"]}  # fmt: skip
            rest = 1e9 * (own.cpu / own.records - bare.cpu / bare.records) - sum(stages.values())
            names = list(stages)
            rows.append([size_text(size), f"{rest:.0f}", *(f"{value:.0f}" for value in stages.values())])
        return measure.table(["records of", "records, and the rest", *names], rows)

    def figures(self):
        rows = []
        peers = {peer.name for peer in self.bench.peers}
        for (size, case), samples in self.bench.samples.items():
            stored = median([s.stored_bytes for s in samples])
            own = self.samples(size, "archive")
            times = f"{median([a.wall / b.wall for a, b in zip(samples, own)]):.2f}" if case in peers else ""
            rows.append([
                size_text(size), case, spread([s.wall for s in samples]),
                spread([s.records / s.wall / 1e3 for s in samples]),
                f"{median([s.payload_bytes / s.wall / 1e6 for s in samples]):.0f}",
                f"{median([s.cpu for s in samples]):.2f}", f"{median([s.broker_cpu for s in samples]):.2f}",
                f"{median([s.other_cores for s in samples]):.2f}",
                # A bare producer holds the file of its records.
                "" if case == "bare producer" else f"{max(s.memory_bytes for s in samples) / (1 << 20):.0f}",
                f"{stored / 1e6:.1f}" if stored else "", times,
            ])  # fmt: skip
        return measure.table(["records of", "case", "seconds", "k records/s", "MB/s", "CPU s", "broker's CPU s",
                              "cores used by others", "peak MiB", "MB stored", "times archive's"], rows, numbers_from=2)  # fmt: skip

    def restores(self):
        rows = []
        for size in self.sizes:
            pairs = self.pairs(size, "restore, not read back", "bare producer")
            rows.append([
                size_text(size), spread([own.rate / 1e3 for own, _ in pairs]),
                spread([bare.rate / 1e3 for _, bare in pairs]),
                spread(self.ratios(size, "restore, not read back", "bare producer")),
                whole([1e9 * own.cpu / own.records for own, _ in pairs]),
                whole([1e9 * bare.cpu / bare.records for _, bare in pairs]),
                spread([(own.cpu + own.broker_cpu) / (bare.cpu + bare.broker_cpu) for own, bare in pairs]),
            ])  # fmt: skip
        return measure.table(["records of", "restore, k/s", "bare producer, k/s", "ratio", "restore, ns of CPU",
                              "bare producer, ns of CPU", "CPU with the broker's, ratio"], rows)  # fmt: skip

    def stored(self):
        rows = []
        for size, rows_bytes in self.bench.rows_stored.items():
            [sample, *_] = self.samples(size, "archive")
            rows.append([size_text(size), f"{sample.payload_bytes / 1e6:.1f}", f"{rows_bytes / 1e6:.2f}",
                         f"{sample.stored_bytes / 1e6:.2f}", spread(self.stored_shares(size))])  # fmt: skip
        return measure.table(["records of", "payload, MB", "plain rows under zstd 1, MB", "stored, MB", "share"], rows)

    def tools(self):
        rows = [[peer.name, peer.version, peer.remarks + peer.noticed()] for peer in self.bench.peers]
        rows += [[name, "left out", " ".join(why.split())] for name, why in self.missing.items()]
        return measure.table(["peer", "version", "remarks"], rows, numbers_from=3) if rows else ""

    def command(self):
        words = sys.argv[1:]
        for option in ("--drstream", "--bare", "--data", "--scratch", "--output"):
            if option in words:
                at = words.index(option)
                del words[at : at + 2]
        return shlex.join(["bench/kafka", *words])

    def text(self):
        arguments = self.bench.arguments
        counts = ", ".join(f"{self.samples(size, 'archive')[0].records:,} of {size_text(size)}" for size in arguments.sizes)
        client = measure.run(f"{arguments.bare} version", {}).out.decode().strip()
        return f"""# Kafka: archive and restore beside librdkafka and other tools

{measure.today()}, drstream {measure.commit()}, {client}. {measure.machine()}.
`{self.command()}`: rounds: {arguments.rounds}; medians (least to most).

## Aims

{self.aims()}
## How it was measured

One broker of Kafka {kafka_version()}, on the same cores, with topics of {self.bench.partitions} partitions, `retention.ms=-1` and
`compression.type={arguments.topic_compression}`. Records: {counts}. Bytes of a record are those of key and
value. The key is one of a million users, the value a JSON object of an id, a kind, an amount, and words mixed with
random letters. zstd at level 1 makes {self.compressed()}.
Both bare clients are bench/bare_kafka, which uses librdkafka with the settings that drstream gives it. The bare consumer
has one handle, counts records and bytes, and reads for at least {arguments.seconds} s. The bare producer is idempotent, with
`acks=all` and the compression of the topic. Seconds of drstream and the peers are those of the whole command. CPU
seconds are those of all processes of the line, those of MirrorMaker 2 with its second broker. Memory is that of the
largest process. Before each run the file system is synced; an archive and what kcat and kafka-backup-core store are
synced within their time. Before the first run a bare producer and consumer warm the broker. The runs take turns, and ratios are of runs in the same round.

## Archive

Two limits: what one bare consumer reaches, and cores / (CPU seconds of bare client, broker and stages for a record).
The stages are what the process of `drstream kafka archive` uses beyond the bare client.

{self.others()}

{self.limits()}
CPU nanoseconds for a record:

{self.costs()}
Of these, by what `--json` says of the last run, in nanoseconds for a record:

{self.stage_costs()}
## Restore

Without reading back (`--no-proof`), since the bare producer does not either; the figures below have both. CPU is that
for a record. The last column divides the CPU seconds of restore and broker by those of bare producer and broker. The
bare producer sends records of all partitions in turn, a restore up to 1 MiB of one partition at a time: that costs
librdkafka less where records are small.

{self.restores()}
## Stored bytes

Plain rows are the same records as `varint timestamp, varint key length + 1, key, varint value length + 1, value`, one
partition after the other, in one file under `zstd -1`. What drstream stores is the growth of the repository: encrypted, with
offsets, digests, indexes and the catalogue.

{self.stored()}
## All figures

{self.figures()}
{self.tools()}"""

    def compressed(self):
        shares = [f"{self.bench.rows_stored[size] / self.samples(size, 'archive')[0].payload_bytes:.2f} of {size_text(size)}"
                  for size in self.bench.rows_stored]  # fmt: skip
        return ", ".join(shares)


def kafka_version():
    from services.kafka import VERSION

    return VERSION


def wrapped(text):
    """Prose in lines of up to 120 characters; headings and tables as they are."""
    blocks = text.strip().split("\n\n")
    return "\n\n".join(
        block if block[0] in "#|" else textwrap.fill(block, 120, break_on_hyphens=False, break_long_words=False)
        for block in blocks) + "\n"  # fmt: skip


def report(bench, missing):
    return wrapped(Page(bench, missing).text())
