"""A repository as a user of the command line sees it: environment, arguments, what is printed, files."""

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections import namedtuple

from json_schemas import check_printed

Outcome = namedtuple("Outcome", "code out err")

# Of the caller's environment only these reach the command; no key and no DRSTREAM_ option may leak in.
PASSED_ON = ["PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"]

# Loaded machines are slow; a command that hangs must still end its test.
TIMEOUT_SECONDS = 120


def sample_bytes(size, seed=1):
    """Reproducible bytes, half of them compressible: lines of text between stretches of noise."""
    source = random.Random(seed)
    parts = []
    made = 0
    while made < size:
        noise = source.randbytes(8192)
        text = b"".join(b"%08d|order|open|%s\n" % (source.randrange(10**8), noise[i : i + 4].hex().encode())
                        for i in range(0, 1024, 4))
        parts += [noise, text]
        made += len(noise) + len(text)
    return b"".join(parts)[:size]


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def random_key():
    return os.urandom(32).hex()


class Repository:
    """One repository in `folder`/data, its heads in `folder`/state, opened with `key` (None: no key is given)."""

    def __init__(self, binary, folder, key="", memory="96MiB", timeout_seconds=TIMEOUT_SECONDS):
        self.binary = binary
        self.folder = folder
        self.path = folder / "data"
        self.state = folder / "state"
        self.key = random_key() if key == "" else key
        self.memory = memory
        self.timeout_seconds = timeout_seconds
        self.variables = {}  # further ones, set by a test

    def environment(self, extra=None):
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        variables.update(
            HOME=str(self.folder),
            LANG="C.UTF-8",
            TZ="UTC",
            DRSTREAM_REPOSITORY=str(self.path),
            DRSTREAM_STATE_DIR=str(self.state),
            DRSTREAM_MEMORY=self.memory,
        )
        if self.key is not None:
            variables["BACKUP_ENCRYPTION_KEY"] = self.key
        for name, value in {**self.variables, **(extra or {})}.items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        return variables

    def command(self, *arguments):
        return [str(self.binary), *map(str, arguments)]

    def start(self, *arguments, env=None, launcher=(), **options):
        """The command in the background: a Popen with stdin closed and pipes on stdout and stderr."""
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        settings.update(options)
        return subprocess.Popen(
            [*map(str, launcher), *self.command(*arguments)], env=self.environment(env), **settings
        )

    def run(self, *arguments, input=b"", env=None, expect=0, launcher=(), **options):
        """Runs the command to its end. `expect`: the exit code, several of them, or None for any."""
        process = self.start(*arguments, env=env, launcher=launcher, **{"stdin": subprocess.PIPE, **options})
        try:
            out, err = process.communicate(input, timeout=self.timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"drstream {arguments} did not end\nstderr: {err!r}") from None
        outcome = Outcome(process.returncode, out, (err or b"").decode("utf-8", "replace"))
        check_printed(arguments, out, err)
        accepted = expect if isinstance(expect, (tuple, set, list)) or expect is None else (expect,)
        if accepted is not None and outcome.code not in accepted:
            shown = (outcome.out or b"")[:4000].decode("utf-8", "replace")
            raise AssertionError(
                f"drstream {' '.join(map(str, arguments))}: exit {outcome.code}, expected {accepted}\n"
                f"stdout: {shown}\nstderr: {outcome.err[:4000]}"
            )
        return outcome

    def text(self, *arguments, **options):
        return self.run(*arguments, **options).out.decode()

    def json(self, *arguments, **options):
        return json.loads(self.run("--json", *arguments, **options).out)  # first: a child's arguments may follow

    def push(self, stream, data, *options, **settings):
        """Pushes bytes through a pipe; what --json says."""
        return self.json("push", stream, *options, input=data, **settings)

    def pull(self, selector, *options, **settings):
        return self.run("pull", selector, "-q", *options, **settings).out

    def snapshots(self):
        return self.json("list")["snapshots"]

    def exists(self):
        """Whether anything was stored, were it an empty folder."""
        return self.path.exists()

    def objects(self):
        """How many bytes each stored object has, by name; unfinished files, below a name that begins with a dot, left
        out."""
        return {
            str(path.relative_to(self.path)): path.stat().st_size
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and not path.relative_to(self.path).parts[0].startswith(".")
        }

    def names(self, kind):
        """The names of the stored objects of one kind, such as "packs"."""
        return [name for name in self.objects() if name.startswith(f"{kind}/")]

    def largest_pack(self):
        """Its name. Most of its bytes are data."""
        objects = self.objects()
        return max((name for name in objects if name.startswith("packs/")), key=objects.get)

    def read_object(self, name, begin=0, end=None):
        """Its bytes from `begin` on, up to `end`."""
        return (self.path / name).read_bytes()[begin:end]

    def write_object(self, name, data):
        """Makes or replaces an object, as drstream itself never does."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.chmod(0o600)
        path.write_bytes(data)

    def remove_object(self, name):
        (self.path / name).unlink()

    def remove_all(self, kind=""):
        """All objects of a kind, or all there are; with their folders."""
        shutil.rmtree(self.path / kind)

    def flip(self, name, position=None):
        """Changes one bit of an object, in the middle unless told where. Twice, it is whole again."""
        data = bytearray(self.read_object(name))
        data[len(data) // 2 if position is None else position] ^= 1
        self.write_object(name, data)

    def put_back(self, objects):
        """Makes `objects`, bytes by name, all that is stored."""
        self.remove_all()
        for name, data in objects.items():
            self.write_object(name, data)

    def tree(self):
        """Everything below the repository: names, and the bytes of files."""
        return {
            str(path.relative_to(self.path)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.path.rglob("*"))
        }
