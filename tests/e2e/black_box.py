"""A repository with every kind of object, the ways in which one object can be spoiled, and what each command then says.

The table of docs/DAMAGE.md is the truth that `test_black_box.py` holds the command to.
"""

import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from repository import Repository, sample_bytes

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/engine/format"))

import independent_reader as reader  # noqa: E402

STREAM = "a"

COMMANDS = {
    "verify": ["verify", "--read-only"],
    "verify --read-data": ["verify", "--read-data", "--read-only"],
    "scrub": ["scrub", "--read-only"],
    "pull": ["pull", STREAM, "-q"],
    "list": ["list"],
}

KINDS = ["config", "key slot", "last key slot", "pack of data", "pack with a recipe", "index", "newest manifest",
         "older manifest", "removed mark", "session", "fence", "condemned", "waits", "retired", "kept", "hold",
         "verified", "damage mark"]  # fmt: skip
WAYS = ["deleted", "cut", "emptied", "grown", "swapped", "older", "zeroed", "one bit", "link", "pipe", "folder"]


def seal_document(keys, kind, name, body):
    head = b"drstrm" + bytes([kind, 1, 1, 0, 0, 0])
    salt = os.urandom(32)
    key, commitment = keys.of_object(reader.ENVELOPE_CLASS[kind], head, salt)
    name = name.encode()
    additional = (keys.repository + bytes([kind, reader.DOCUMENT, 0, 0]) + salt
                  + struct.pack("<QQH", 0, len(body), len(name)) + name)  # fmt: skip
    sealed = reader.AESGCM(key).encrypt(bytes(12), body, additional)
    data = head + salt + commitment + bytes(2) + keys.repository + struct.pack("<I", len(sealed)) + sealed + bytes(2)
    return data + reader.sha256(data)


def string(text):
    return struct.pack("<H", len(text)) + text.encode()


class Specimen:
    """Stream a has three snapshots, b two; `gone` had two, the first removed. A push was killed, a prune left records, and a
    sweep has read all."""

    def __init__(self, binary, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.drs = Repository(binary, folder)
        drs = self.drs
        drs.run("init")
        base = sample_bytes(9_000_000, seed=3)  # more than a pack
        self.contents = [base, base[:5_000_000] + b"x" * 3000, base + b"newest" * 500]
        self.ids = {}
        for number, data in enumerate(self.contents):
            self.ids[drs.push(STREAM, data, "--compression", "none")["id"]] = number
        for seed in (4, 5):
            drs.push("b", sample_bytes(30_000, seed=seed))
        self.add_key()
        self.leave_a_dead_session("one")
        self.leave_a_dead_session("two")
        self.kinds = {}
        self.keys = self.unlock()
        self.remove_a_snapshot()
        self.fence()
        self.condemn()
        self.retire()
        self.hold()
        self.sweep()
        self.leave_marks()
        self.find_objects()

    def unlock(self):
        opened = reader.Repository(reader.Folder(str(self.drs.path)))
        opened.unlock({reader.RAW_KEY: bytes.fromhex(self.drs.key)})
        return opened.keys

    def add_key(self):
        path = self.drs.folder / "second-key"
        path.write_text(os.urandom(32).hex())
        path.chmod(0o600)
        self.drs.run("key", "add", "--new-key-file", path)

    def leave_a_dead_session(self, stream):
        before = set(self.drs.names("sessions"))
        push = self.drs.start("push", stream, stdin=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while set(self.drs.names("sessions")) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        push.send_signal(signal.SIGKILL)
        push.communicate()

    def remove_a_snapshot(self):
        """As `forget` and a prune leave them: twice, so that a mark has a peer."""
        for data in (1, 2, 3):
            self.drs.push("gone", sample_bytes(20_000, seed=data))
        shown = [s for s in self.drs.snapshots() if s["stream"] == "gone"]
        self.removed = []
        for snapshot in shown[:2]:
            name = snapshot["manifest"]
            body = (string(name) + reader.identity(self.drs.read_object(name)) + string("gone")
                    + struct.pack("<Qq", snapshot["sequence"], time.time_ns()) + string("a test"))  # fmt: skip
            mark = name.replace("manifests/", "removed/")
            self.drs.write_object(mark, seal_document(self.keys, reader.REMOVED, mark, body))
            self.drs.remove_object(name)
            self.removed.append(mark)

    def fence(self):
        """As a prune does with sessions that died long ago."""
        self.fences = []
        for session in self.drs.names("sessions"):
            tag, number, _ = session.removeprefix("sessions/").split("-")
            stream = next(s for s in ("one", "two") if self.keys.stream_tag(s.encode()).hex() == tag)
            name = f"manifests/{tag}-{number}"
            body = bytes.fromhex(number) + string(stream) + struct.pack("<q", time.time_ns()) + string("a test")
            self.drs.write_object(name, seal_document(self.keys, reader.FENCE, name, body))
            self.fences.append(name)

    def condemn(self):
        for digest in (bytes([7]) * 32, bytes([8]) * 32):
            name = f"condemned/{os.urandom(16).hex()}"
            body = struct.pack("<qI", time.time_ns(), 1) + digest
            self.drs.write_object(name, seal_document(self.keys, reader.CONDEMNED, name, body))
            waits = name.replace("condemned/", "waits/")
            body = bytes.fromhex(name.removeprefix("condemned/")) + struct.pack("<qI", time.time_ns(), 0)
            self.drs.write_object(waits, seal_document(self.keys, reader.WAITS, waits, body))

    def retire(self):
        """Old marks and fences of two streams that end in one object each."""
        for stream in ("one", "two"):
            tag = self.keys.stream_tag(stream.encode())
            name = f"retired/{tag.hex()}-{os.urandom(16).hex()}"
            entries = sorted((os.urandom(16), digest, n) for digest, n in ((os.urandom(32), 1), (bytes(32), 0)))
            body = tag + string(stream) + struct.pack("<I", len(entries))
            body += b"".join(s + d + struct.pack("<Qq", n, time.time_ns()) for s, d, n in entries)
            self.drs.write_object(name, seal_document(self.keys, reader.RETIRED, name, body))

    def hold(self):
        """Of the two first snapshots of a stream, for ever, by a pruner and by a writer."""
        shown = [s["manifest"] for s in self.drs.snapshots() if s["stream"] == STREAM]
        for prefix, kind in (("kept", reader.KEPT), ("holds", reader.HOLD)):
            for manifest in shown[:2]:
                name = manifest.replace("manifests/", f"{prefix}/") + "-00000000"
                body = (string(manifest) + reader.identity(self.drs.read_object(manifest))
                        + struct.pack("<qq", time.time_ns(), 0) + string("a test") + bytes(4))  # fmt: skip
                self.drs.write_object(name, seal_document(self.keys, kind, name, body))

    def sweep(self):
        """One record is of the packs, and one of the structure."""
        self.drs.run("sweep")
        assert len(self.drs.names("verified")) == 2

    def leave_marks(self):
        """Of packs that were damaged once and are gone: as a repair by hand leaves them."""
        for seed in (6, 7):
            data = reader.sha256(bytes([seed]))
            name = f"packs/{data.hex()[:2]}/{data.hex()}"
            self.drs.write_object(name, bytes(200))
            self.drs.run("scrub", expect=4)
            self.drs.remove_object(name)

    def find_objects(self):
        drs = self.drs
        sizes = drs.objects()
        packs = sorted(drs.names("packs"), key=sizes.get)
        shown = [s for s in drs.snapshots() if s["stream"] == STREAM]
        recipes = self.packs_with_recipes()
        newest, older = shown[-1]["manifest"], shown[0]["manifest"]
        data = [p for p in packs if p not in recipes]
        assert data and recipes, sizes
        indexes = sorted(drs.names("index"), key=sizes.get)

        def of(kind):
            return sorted(drs.names(kind))

        # The object to spoil, its peer (to swap with), and an older one of the kind whose bytes take its place.
        self.kinds = {
            "config": (of("config")[0], of("keys")[0], None),
            "key slot": (self.slot_in_use(), next(n for n in of("keys") if n != self.slot_in_use()), None),
            "last key slot": (self.slot_in_use(), of("config")[0], None),
            "pack of data": (data[-1], packs[0], packs[0]),
            "pack with a recipe": (recipes[-1], packs[0] if packs[0] != recipes[-1] else packs[1], packs[0]),
            "index": (indexes[-1], indexes[0], indexes[0]),
            "newest manifest": (newest, older, older),
            "older manifest": (older, newest, None),
            # Of the predecessor of a live snapshot.
            "removed mark": (self.removed[1], self.removed[0], self.removed[0]),
            "session": (of("sessions")[0], of("sessions")[1], of("sessions")[1]),
            "fence": (*self.fences, self.fences[1]),
            "condemned": (of("condemned")[0], of("condemned")[1], of("condemned")[1]),
            "waits": (of("waits")[0], of("waits")[1], of("waits")[1]),
            "retired": (of("retired")[0], of("retired")[1], of("retired")[1]),
            "kept": (of("kept")[0], of("kept")[1], of("kept")[1]),
            "hold": (of("holds")[0], of("holds")[1], of("holds")[1]),
            "verified": (of("verified")[0], of("verified")[1], of("verified")[1]),
            "damage mark": (of("damaged")[0], of("damaged")[1], of("damaged")[1]),
        }

    def slot_in_use(self):
        slots = self.drs.json("key", "list")["slots"]
        return "keys/" + next(slot["id"] for slot in slots if slot["current"])

    def packs_with_recipes(self):
        """Without one of these no snapshot of the stream a can be planned: `verify` says whose recipe part is lost."""
        found = []
        for name in self.drs.names("packs"):
            data = self.drs.read_object(name)
            self.drs.remove_object(name)
            text = self.drs.run("verify", "--read-only", "-v", expect=4).out.decode()
            self.drs.write_object(name, data)
            whole = rf"affects {STREAM} snapshot \w+ bytes 0 to {len(self.contents[-1])}\b"
            if re.search(whole, text):
                found.append(name)
        return sorted(found, key=self.drs.objects().get)

    def copy(self, folder):
        """Shares all bytes with the original: whoever changes an object replaces its file."""
        subprocess.run(["cp", "-al", self.drs.folder, folder], check=True)
        for head in (folder / "state").rglob("*.json"):  # a head holds the place where it was seen
            replace(head, head.read_bytes().replace(bytes(self.drs.path), bytes(folder / "data")))
        return Repository(self.drs.binary, folder, key=self.drs.key)


def replace(path, data):
    path.unlink()
    path.write_bytes(data)


def spoil(specimen, drs, kind, way, seed):
    """Spoils one object of a copy. False: the kind has no such way."""
    name, peer, older = specimen.kinds[kind]
    path = drs.path / name
    data = path.read_bytes()
    if kind == "last key slot":
        (drs.path / specimen.kinds["key slot"][1]).unlink()
    if way == "deleted":
        path.unlink()
    elif way == "cut":
        replace(path, data[: len(data) * 2 // 3])
    elif way == "emptied":
        replace(path, b"")
    elif way == "grown":
        replace(path, data + bytes(60_000))
    elif way == "swapped":
        other = drs.path / peer
        theirs = other.read_bytes()
        replace(path, theirs)
        replace(other, data)
    elif way == "older":
        if older is None:
            return False
        replace(path, (drs.path / older).read_bytes())
    elif way == "zeroed":
        replace(path, bytes(len(data)))
    elif way == "one bit":
        bit = random.Random(seed).randrange(100 * 8, len(data) * 8)
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        replace(path, bytes(flipped))
    elif way == "link":  # to the very bytes that belong here
        elsewhere = drs.folder / "elsewhere"
        shutil.move(path, elsewhere)
        path.symlink_to(elsewhere)
    elif way == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif way == "folder":
        path.unlink()
        path.mkdir()
    return True


def outcomes(specimen, folder, kind, way, seed):
    """The exit code of each command, or None if the kind has no such case. Asserts what must always hold."""
    drs = specimen.copy(folder)
    drs.timeout_seconds = 30
    if not spoil(specimen, drs, kind, way, seed):
        return None
    where = f"{kind}, {way}, seed {seed}"
    codes = {}
    for title, arguments in COMMANDS.items():
        outcome = drs.run(*arguments, expect=None)  # a command that waits for a pipe does not end, and fails here
        codes[title] = outcome.code
        assert 0 <= outcome.code < 128 and outcome.code != 1, (where, title, outcome)
        if title == "pull":
            newest = specimen.contents[-1]
            assert newest.startswith(outcome.out), f"{where}: pull wrote bytes that are not the newest snapshot's"
            assert outcome.code != 0 or outcome.out == newest, f"{where}: pull gave an older snapshot in silence"
        if outcome.code == 4 and title != "list":
            name = specimen.kinds[kind][0] if kind != "last key slot" else "keys/"  # where nothing is, nothing has a name
            assert name in outcome.out.decode("utf-8", "replace") + outcome.err or title == "pull", (
                where, title, outcome)  # fmt: skip
        if kind == "verified" and title.startswith("verify") and way not in ("deleted", "folder"):
            assert specimen.kinds[kind][0] in outcome.out.decode(), f"{where}: {title} does not warn of it"
    shutil.rmtree(folder)
    return codes


def table():
    """{(kind, way): {command: exit codes}} as docs/DAMAGE.md has it."""
    rows = {}
    columns = None
    for line in (ROOT / "docs/DAMAGE.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[:2] == ["object", "what happened to it"]:
            columns = [cell.strip("`") for cell in cells[2:7]]
        elif columns and line.startswith("|") and not line.startswith("|--"):
            for way in cells[1].split(", "):
                rows[cells[0], way] = {
                    column: {int(code) for code in re.findall(r"\d+", cell)}
                    for column, cell in zip(columns, cells[2:7], strict=True)
                }
        elif columns and not line.startswith("|"):
            columns = None
    return rows
