"""The blocks of the pages, and what the line before a block says about it.

    ```sh         commands: run, or with a reason only parsed
    ```console    a session at a terminal: `$ ` before each command, then what it prints; a line ... stands for any
                  lines, and ends a line that goes on
    ```toml       a configuration file of drstream
    ```systemd    a unit
    ```cron       a crontab in /etc/cron.d
    ```text       a diagram or a list, no commands
    ```hex NAME   bytes of FORMAT.md, which its own tests read

Directly before the block, in lines of their own:

    *Not run by the tests: WHY.*     for readers as well: the commands are only parsed
    <!-- before: SHELL -->           what a test does first, with the functions of document_sandbox.bash
    <!-- exit: N -->                 how the block ends; 0 without it
    <!-- file: PATH -->              the reader saves the block under this name
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"sh", "console", "toml", "systemd", "cron", "text", "hex"}

# What makes a line one that a reader would type.
COMMAND = re.compile(r"\s*(\$ |sudo |drstream |export |pg_\w+ |psql |scripts/|bench/)")
NOT_RUN = re.compile(r"\*Not run by the tests: (.+)\.\*")
DIRECTIVE = re.compile(r"<!-- (before|exit|file): (.*) -->")


class BadPage(Exception):
    """A page has something that no test can treat; the text says where and what."""


@dataclass
class Block:
    page: str
    line: int  # of its first line, after the fence
    language: str
    lines: list[str]
    not_run: str | None = None
    before: list[str] = field(default_factory=list)
    exit: int = 0
    file: str | None = None

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    @property
    def where(self):
        return f"{self.page}:{self.line}"


def pages():
    """The pages whose blocks are held to the command. REFERENCE.md is what the command itself writes."""
    written = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "REFERENCE.md"]
    return [ROOT / "README.md", *written]


def blocks_of(page, text):
    """The blocks of a page. Raises BadPage."""
    found, said, fence = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None and line.strip().startswith("```"):
            fence = new_block(page, number + 1, line, said)
        elif fence is None:
            check_outside(page, number, line)
            said = [*said, (number, line)] if line.startswith(("<!--", "*Not run")) else []
        elif line.strip() == "```":
            found.append(check_block(fence))
            fence, said = None, []
        else:
            fence.lines.append(line)
    if fence is not None:
        raise BadPage(f"{fence.where}: the block does not end")
    return found


def new_block(page, line, opening, said):
    language, _, name = opening.strip().removeprefix("```").partition(" ")
    if language not in LANGUAGES or bool(name) != (language == "hex"):
        raise BadPage(f"{page}:{line - 1}: '{opening.strip()}': a block is one of {', '.join(sorted(LANGUAGES))} NAME")
    block = Block(page, line, language, [])
    for number, text in said:
        reason, directive = NOT_RUN.fullmatch(text), DIRECTIVE.fullmatch(text)
        if reason:
            block.not_run = reason.group(1)
        elif directive is None:
            raise BadPage(f"{page}:{number}: {text}: not understood")
        elif directive.group(1) == "before":
            block.before.append(directive.group(2))
        elif directive.group(1) == "exit":
            block.exit = int(directive.group(2))
        else:
            block.file = directive.group(2)
    return block


def check_block(block):
    if block.not_run and block.language != "sh":
        raise BadPage(f"{block.where}: only blocks of commands may be left out of the run")
    if block.language in ("text", "hex"):
        for number, line in enumerate(block.lines, block.line):
            if COMMAND.match(line):
                raise BadPage(f"{block.page}:{number}: a command in a block of {block.language}: use sh or console")
    if block.language in ("systemd", "cron") and block.file is None:
        raise BadPage(f"{block.where}: say with <!-- file: PATH --> where it is saved")
    return block


def check_outside(page, number, line):
    if re.match(r"( {4}|\t)", line) and COMMAND.match(line):
        raise BadPage(f"{page}:{number}: a command outside of a block")


def code_spans(text):
    """What stands between backquotes outside of blocks, with line numbers. A span may go on in the next line."""
    in_block, kept = False, []
    for line in text.splitlines():
        fence = line.strip().startswith("```")
        kept.append("" if in_block or fence else line)
        in_block = in_block != fence
    joined = "\n".join(kept)
    for found in re.finditer(r"`([^`]+)`", joined):
        yield joined.count("\n", 0, found.start()) + 1, " ".join(found.group(1).split())
