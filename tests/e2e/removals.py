"""What tests of deletion share."""

import struct
import time

from black_box import reader, seal_document, string

AT_ONCE = ["--min-age", "0", "--grace", "0", "--undo", "0"]


def packs_bytes(drs):
    return sum(size for name, size in drs.objects().items() if name.startswith("packs/"))


def remove(drs, id, reason="a test"):
    """Puts the removal mark of a live snapshot, as `forget` does. Returns what `list` had said of it."""
    (snapshot,) = [snapshot for snapshot in drs.snapshots() if snapshot["id"].startswith(id)]
    opened = reader.Repository(drs)
    opened.unlock({reader.RAW_KEY: bytes.fromhex(drs.key)})
    name = snapshot["manifest"]
    body = (string(name) + reader.identity(drs.read_object(name)) + string(snapshot["stream"])
            + struct.pack("<Qq", snapshot["sequence"], time.time_ns()) + string(reason))  # fmt: skip
    mark = name.replace("manifests/", "removed/")
    drs.write_object(mark, seal_document(opened.keys, reader.REMOVED, mark, body))
    return snapshot
