"""Repositories that know many chunks which exist nowhere: only the index is made, for nobody reads the chunks. What a
small push costs there is what opening a large repository costs."""

import base64
import hashlib
import json
import os
import subprocess

import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

import measure
from peers import Drstream, Restic

BIG_INDEX = measure.RELEASE / "tests" / "e2e" / "big_index"
BLOBS_PER_INDEX = 50_000  # of restic: internal/repository/index.go, indexMaxBlobs
BLOBS_PER_PACK = 16
BLOB_BYTES = 1 << 20
SEALED_BYTES = BLOB_BYTES // 3


def fill(peer, count):
    {Drstream: fill_drstream, Restic: fill_restic}[type(peer)](peer, count)


def fill_drstream(peer, count):
    subprocess.run([BIG_INDEX, peer.environment["DRSTREAM_REPOSITORY"], str(count)], env=peer.environment, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip


def fill_restic(peer, count):
    out = subprocess.run(["restic", "cat", "masterkey"], env=peer.environment, check=True, capture_output=True).stdout
    key = ResticKey(json.loads(out))
    compressor = zstandard.ZstdCompressor(level=1)
    folder = peer.folder / "repository" / "index"
    for first in range(0, count, BLOBS_PER_INDEX):
        index = {"packs": [restic_pack() for _ in range(min(BLOBS_PER_INDEX, count - first) // BLOBS_PER_PACK)]}
        # Format 2: a byte 2 before what is compressed.
        sealed = key.seal(b"\x02" + compressor.compress(json.dumps(index).encode()))
        (folder / hashlib.sha256(sealed).hexdigest()).write_bytes(sealed)


def restic_pack():
    blobs = [
        {"id": os.urandom(32).hex(), "type": "data", "offset": i * SEALED_BYTES, "length": SEALED_BYTES,
         "uncompressed_length": BLOB_BYTES}
        for i in range(BLOBS_PER_PACK)
    ]  # fmt: skip
    return {"id": os.urandom(32).hex(), "blobs": blobs}


class ResticKey:
    """AES-256-CTR and Poly1305-AES, as restic's design document describes ("Keys, Encryption and MAC")."""

    def __init__(self, master):
        self.encrypt = base64.b64decode(master["encrypt"])
        self.mac_k = base64.b64decode(master["mac"]["k"])
        self.mac_r = base64.b64decode(master["mac"]["r"])

    def seal(self, plain):
        nonce = os.urandom(16)
        stream = Cipher(algorithms.AES(self.encrypt), modes.CTR(nonce)).encryptor()
        sealed = stream.update(plain) + stream.finalize()
        block = Cipher(algorithms.AES(self.mac_k), modes.ECB()).encryptor()
        tag = Poly1305.generate_tag(self.mac_r + block.update(nonce) + block.finalize(), sealed)
        return nonce + sealed + tag
