"""Writes a stream that looks like a dump and never repeats:  make_stream.py BYTES SEED

Rows from a pool, a few KiB at a time, each from a random place in it: no chunk comes twice, it compresses as text does,
and it is made faster than it can be stored.
"""

import os
import random
import sys

POOL_BYTES = 16 << 20
PIECE_BYTES_MIN, PIECE_BYTES_MAX = 1500, 4000
WRITE_PIECES = 400


def pool(source):
    words = [source.randbytes(source.randrange(2, 6)).hex() for _ in range(4000)]
    rows = []
    made = 0
    while made < POOL_BYTES:
        chosen = source.choices(words, k=9)
        row = f"{source.randrange(10**10)}\t{' '.join(chosen)}\t{source.random():.6f}\t{source.randrange(10**6)}\n"
        rows.append(row.encode())
        made += len(row)
    return memoryview(b"".join(rows))


def batches(seed):
    """Endless rows, WRITE_PIECES pieces at a time."""
    source = random.Random(seed)
    text = pool(source)
    last_start = len(text) - PIECE_BYTES_MAX
    uniform = source.random
    while True:
        pieces = []
        for _ in range(WRITE_PIECES):
            start = int(uniform() * last_start)
            length = PIECE_BYTES_MIN + start % (PIECE_BYTES_MAX - PIECE_BYTES_MIN)
            pieces.append(text[start : start + length])
        yield b"".join(pieces)


def write(descriptor, left, rows):
    """Writes `left` bytes of what batches() made; what the last batch has beyond them is dropped."""
    while left > 0:
        data = memoryview(next(rows))[:left]
        left -= len(data)
        while data:
            data = data[os.write(descriptor, data) :]


def main():
    try:
        write(1, int(sys.argv[1]), batches(int(sys.argv[2])))
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
