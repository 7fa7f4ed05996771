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


def main():
    left, seed = int(sys.argv[1]), int(sys.argv[2])
    source = random.Random(seed)
    text = pool(source)
    last_start = len(text) - PIECE_BYTES_MAX
    uniform = source.random
    try:
        while left > 0:
            pieces = []
            for _ in range(WRITE_PIECES):
                start = int(uniform() * last_start)
                length = PIECE_BYTES_MIN + start % (PIECE_BYTES_MAX - PIECE_BYTES_MIN)
                pieces.append(text[start : start + length])
            data = memoryview(b"".join(pieces))[:left]
            left -= len(data)
            while data:
                data = data[os.write(1, data) :]
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
