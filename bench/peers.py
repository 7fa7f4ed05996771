"""The tools that bench/race compares, each by the lines a user would type. Every tool keeps what it stores in a folder
of its own; a line that is None is something the tool cannot do."""

import os
import re
import subprocess
from pathlib import Path

from measure import folder_bytes

SECRET = "correct horse battery staple"


class Peer:
    """One tool with a repository in `folder`."""

    name = ""
    remarks = ""
    programs = ()
    init = None

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def push(self, path):
        """Stores what `cat path` prints as the next version of one stream."""
        raise NotImplementedError

    def pull(self):
        """Prints the version stored last."""
        raise NotImplementedError

    def verify(self):
        """Reads and checks every byte stored."""
        raise NotImplementedError

    def stored_bytes(self):
        return folder_bytes(self.folder / "repository")

    @classmethod
    def version(cls):
        return " + ".join(first_line(command) for command in cls.programs)


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True)
    line = (done.stdout or done.stderr).splitlines()[0].strip()
    return re.sub(r"\*+ | \*+$|, by Yann Collet| \(Library:.*\)| compiled with.*", "", line)


class Drstream(Peer):
    name = "drstream"
    remarks = "defaults: zstd 1, encrypted, SHA-256 of the stream, every block decoded again, fsync"
    binary = "drstream"
    options = ""

    def __init__(self, folder):
        super().__init__(folder)
        self.environment.update(
            DRSTREAM_REPOSITORY=str(self.folder / "repository"),
            DRSTREAM_STATE_DIR=str(self.folder / "state"),
            BACKUP_ENCRYPTION_KEY="0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef",
        )
        self.init = f"{self.binary} init --quiet"

    def push(self, path):
        return f"cat {path} | {self.binary} push stream --quiet{self.options}"

    def pull(self):
        return f"{self.binary} pull stream --quiet"

    def verify(self):
        return f"{self.binary} verify --read-data --quiet"

    def scrub(self):
        return f"{self.binary} scrub --quiet"

    @classmethod
    def version(cls):
        return first_line([cls.binary, "version"])


class DrstreamBefore(Drstream):
    """Another build, usually of an older commit."""

    name = "drstream before"


class DrstreamNoReadback(Drstream):
    name = "drstream --no-readback"
    remarks = "as above, blocks not decoded again"
    options = " --no-readback"


class Restic(Peer):
    name = "restic"
    remarks = "defaults: compression auto, encrypted"
    programs = (["restic", "version"],)
    init = "restic init --quiet"

    def __init__(self, folder):
        super().__init__(folder)
        self.environment.update(
            RESTIC_REPOSITORY=str(self.folder / "repository"),
            RESTIC_PASSWORD=SECRET,
            RESTIC_CACHE_DIR=str(self.folder / "cache"),
        )

    def push(self, path):
        return f"cat {path} | restic backup --stdin --stdin-filename stream --quiet"

    def pull(self):
        return "restic dump --quiet latest stream"

    def verify(self):
        return "restic check --read-data --quiet"


class Borg(Peer):
    name = "borg"
    remarks = "zstd 1, encrypted (repokey)"
    programs = (["borg", "--version"],)
    init = "borg init --encryption=repokey"

    def __init__(self, folder):
        super().__init__(folder)
        self.environment.update(
            BORG_REPO=str(self.folder / "repository"), BORG_PASSPHRASE=SECRET, BORG_BASE_DIR=str(self.folder)
        )
        self.count = 0

    def push(self, path):
        self.count += 1
        return f"cat {path} | borg create --compression zstd,1 --stdin-name stream ::{self.count} -"

    def pull(self):
        return f"borg extract --stdout ::{self.count}"

    def verify(self):
        return "borg check --verify-data"


class Pipe(Peer):
    name = "pipe"
    remarks = "what scripts do: no deduplication, no authentication; the digest is a file beside it"
    programs = (["zstd", "--version"], ["openssl", "version"])

    def __init__(self, folder):
        super().__init__(folder)
        (self.folder / "repository").mkdir()
        (self.folder / "password").write_text(SECRET)
        self.count = 0

    def stem(self):
        return self.folder / "repository" / str(self.count)

    def push(self, path):
        self.count += 1
        return (f"cat {path} | tee >(openssl dgst -sha256 -r > {self.stem()}.sha256) | zstd -1 -T0 --quiet "
                f"| openssl enc -aes-256-ctr -pbkdf2 -pass file:{self.folder}/password -out {self.stem()}")  # fmt: skip

    def plain(self):
        return f"openssl enc -d -aes-256-ctr -pbkdf2 -pass file:{self.folder}/password -in {self.stem()} | zstd -d --quiet"

    def pull(self):
        return self.plain()

    def verify(self):
        """Of the last version only: a script that checks them all takes as long again for each."""
        return f"{self.plain()} | openssl dgst -sha256 -r | cmp - {self.stem()}.sha256"


PEERS = (Drstream, DrstreamNoReadback, Restic, Borg, Pipe)
