"""How a stream changes from one backup to the next: a few bytes in some of its chunks, at places that a model draws."""

import math
import os

CHUNK_BYTES = 20_800  # of the chunk in which a random byte lies, with the default cutter, in the text of make_stream.py
EDIT_BYTES = 8

# With this exponent 80 % of all places lie in the first fifth, 80 % of these in the first fifth of that, and so on: the
# self-similar distribution of Gray et al., SIGMOD 1994.
SELF_SIMILAR_EXPONENT = math.log(0.2) / math.log(0.8)


def evenly(source, end):
    return source.randrange(end)


def in_a_hot_fifth(source, end):
    return int(end * source.random() ** SELF_SIMILAR_EXPONENT)


def in_the_last_tenth(source, end):
    return source.randrange(end - end // 10, end)


def edits_that_change(share, size):
    """How many edits at places drawn evenly over `size` bytes change this share of its chunks: some hit one twice."""
    return round(-math.log(1 - share) * size / CHUNK_BYTES)


def scatter_edits(path, source, share, place=evenly):
    """Overwrites a few bytes at as many places as would change `share` of the chunks if they were drawn evenly."""
    size = path.stat().st_size
    with open(path, "r+b", buffering=0) as file:
        for _ in range(edits_that_change(share, size)):
            edit = source.randbytes(EDIT_BYTES // 2).hex().encode()
            os.pwrite(file.fileno(), edit, place(source, size - EDIT_BYTES))
