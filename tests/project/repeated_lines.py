"""Finds blocks of lines that stand in two places, to the letter but for indentation.

Only lines that say something count: blank ones, comments, includes and lone punctuation are passed over.
"""

import re
from dataclasses import dataclass

PASSED_OVER = re.compile(r"\W*|//.*|#.*|import .*|from \S+ import .*")


@dataclass(frozen=True)
class Repeat:
    first: tuple  # (file, first line, last line)
    second: tuple

    def __str__(self):
        return " ~ ".join(f"{name}:{begin}-{end}" for name, begin, end in (self.first, self.second))


def telling_lines(text):
    """(number, line) of each line that counts."""
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if not PASSED_OVER.fullmatch(line)]


def repeated_blocks(texts, lines_min):
    """Blocks of at least `lines_min` telling lines that stand twice in `texts`, by name. A block that stands in more
    places is listed once for each, beside its first one."""
    files = {name: telling_lines(text) for name, text in texts.items()}
    seen = {}  # window: the first place
    repeats = []
    for name, lines in files.items():
        contents = [line for _, line in lines]
        at = 0
        while at + lines_min <= len(contents):
            first = seen.setdefault(tuple(contents[at : at + lines_min]), (name, at))
            overlaps = first[0] == name and first[1] + lines_min > at
            if overlaps:
                at += 1
                continue
            other, count = files[first[0]], lines_min
            while (
                at + count < len(lines)
                and first[1] + count < len(other)
                and other[first[1] + count][1] == contents[at + count]
            ):
                count += 1
            repeats.append(
                Repeat(
                    (first[0], other[first[1]][0], other[first[1] + count - 1][0]),
                    (name, lines[at][0], lines[at + count - 1][0]),
                )
            )
            at += count
    return repeats
