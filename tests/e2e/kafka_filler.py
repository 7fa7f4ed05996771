"""Fills partitions of a topic faster than one Python program can: a process for each codec, which has some of them.

    kafka_filler.py BOOTSTRAP TOPIC PARTITIONS RECORDS CODEC SIZES SEED        PARTITIONS: as in 0,5,10

SIZES "mixed": values from nothing to 900 KB, nine of ten of 100 bytes or 1 KB, of letters without an order.
SIZES "packed": values of 1 KB in batches of 1 MiB, which zstd makes some 25 times smaller.
"""

import base64
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from services.kafka_client import load

MIXED_SIZES = {100: 0.78, 1000: 0.18, 0: 0.02, 37: 0.0168, 10_000: 0.003, 100_000: 0.00018, 900_000: 0.00002}
LARGEST = max(MIXED_SIZES)
POOL_BYTES = 3 << 20
DRAWN = 65_521  # sizes, places and keys that are drawn, and repeated; a prime
PACKED_BYTES = 1000
FLUSH_SECONDS = 300


def mixed(source, records):
    """Keys and values. Few records have the largest size all the same."""
    pool = base64.b64encode(source.randbytes(POOL_BYTES))
    sizes = source.choices(list(MIXED_SIZES), MIXED_SIZES.values(), k=DRAWN)
    sizes[source.randrange(min(DRAWN, records))] = LARGEST
    places = [source.randrange(len(pool) - LARGEST) for _ in range(DRAWN + 2)]
    keys = [source.choice((None, b"", b"key-%d" % n, b"key-%d" % n)) for n in range(DRAWN)]
    for n in range(records):
        size = sizes[n % DRAWN]
        place = places[n % (DRAWN + 2)]
        yield keys[n % DRAWN], pool[place:place + size]


def packed(source, records):
    """Rows that differ in a counter and in 40 letters; the rest is the same in each."""
    rest = base64.b64encode(source.randbytes(PACKED_BYTES))[:PACKED_BYTES - 52]
    for n in range(records):
        yield None, b"%012d%s%s" % (n, base64.b64encode(source.randbytes(30)), rest)


def fill(bootstrap, topic, partitions, records, codec, sizes, seed):
    failures = []
    producer = load().Producer({
        "bootstrap.servers": bootstrap, "log_level": 0, "enable.idempotence": True, "compression.codec": codec,
        "compression.level": 1, "linger.ms": 50, "message.max.bytes": 1_048_588, "batch.size": 1_000_000,
        "batch.num.messages": 10_000, "queue.buffering.max.kbytes": 65_536, "delivery.report.only.error": True,
        "on_delivery": lambda error, _: failures.append(error),
    })
    make = {"mixed": mixed, "packed": packed}[sizes]
    now_ms = int(time.time() * 1000)
    for n, (key, value) in enumerate(make(random.Random(seed), records)):
        partition = partitions[n % len(partitions)]
        while True:
            try:
                producer.produce(topic, value, key, partition, timestamp=now_ms + n // 100)
                break
            except BufferError:
                producer.poll(0.1)
        if n % 1000 == 0:
            producer.poll(0)
        if failures:
            break
    left = producer.flush(FLUSH_SECONDS)
    if left or failures:
        raise RuntimeError(f"{left} records were not sent, {len(failures)} refused: {failures[:3]}")


def fill_topic(kafka, topic, partitions, records, codecs, sizes="mixed", seed=0):
    """Fills partitions 0 to `partitions` with `records` in all, a share in each codec."""
    processes = []
    for number, codec in enumerate(codecs):
        mine = ",".join(map(str, range(number, partitions, len(codecs))))
        share = records // len(codecs) + (number < records % len(codecs))
        words = [__file__, kafka.bootstrap, topic, mine, share, codec, sizes, seed + number]
        # The kernel kills it when the test run is killed.
        command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, *map(str, words)]
        path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        processes.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}))
    codes = [process.wait() for process in processes]
    assert not any(codes), codes


if __name__ == "__main__":
    bootstrap, topic, partitions, records, codec, sizes, seed = sys.argv[1:]
    fill(bootstrap, topic, [int(number) for number in partitions.split(",")], int(records), codec, sizes, int(seed))
