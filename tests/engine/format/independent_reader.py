#!/usr/bin/python3
"""Restores a stream from a repository of format version 1, written from docs/FORMAT.md alone.

usage: independent_reader.py REPOSITORY_DIR SNAPSHOT|latest [--stream NAME] [--from-packs] > out

It shares no code with drstream, so it shows that FORMAT.md suffices, and it is the recovery path of last resort. It
trusts nothing: every digest, tag, checksum and count is checked, and output that fails a check at the end makes it
exit with 1. SNAPSHOT is a session uuid (hex) or the beginning of one. The key comes from BACKUP_ENCRYPTION_KEY (64 hex
digits) or BACKUP_PASSPHRASE; without either, a clear slot is looked for. It needs Python's standard library and
Debian's python3-cryptography, python3-lz4, python3-xxhash and python3-zstandard.
"""

import argparse
import hashlib
import hmac
import os
import pathlib
import re
import struct
import sys
from dataclasses import dataclass, field

import lz4.block
import xxhash
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PACK, INDEX, MANIFEST, REMOVED, CONFIG, SLOT, FENCE = 1, 2, 3, 4, 5, 6, 11
KINDS = (*range(1, 10), FENCE)
DRAFT = 1 << 56  # the required feature of the format before release 0.1
DATA_BLOCK, RECIPE_BLOCK, PACK_TABLE, INDEX_SUMMARY, INDEX_HOOKS, INDEX_DIRECTORY, CHUNK_LIST, DOCUMENT = range(1, 9)
RAW, ZSTD, LZ4 = 0, 1, 2
ENVELOPE_CLASS = {PACK: b"metadata", INDEX: b"metadata", MANIFEST: b"manifest", REMOVED: b"manifest", CONFIG: b"config",
                  FENCE: b"manifest"}
ENVELOPE_BYTES, TAG_BYTES, RECORD_BYTES, BLOCK_BYTES_MAX = 78, 16, 52, 1 << 20


class Damaged(Exception):
    """Stored bytes break a rule of FORMAT.md."""


class TooNew(Exception):
    """Written by a later version, or by a draft of this one."""


class WrongKey(Exception):
    """No key, or another slot's."""


def check(condition, text):
    if not condition:
        raise Damaged(text)


class Reader:
    """Reads fields in order, never past the end."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def raw(self, count):
        check(count <= len(self.data) - self.at, f"{self.what} ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.raw(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.number("B")

    def u16(self):
        return self.number("H")

    def u32(self):
        return self.number("I")

    def u64(self):
        return self.number("Q")

    def i64(self):
        return self.number("q")

    def string(self):
        return self.raw(self.u16())

    def varint(self):
        value = 0
        for i in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                check(value < 1 << 64 and (byte != 0 or i == 0), f"{self.what}: varint is not in its shortest form")
                return value
        raise Damaged(f"{self.what}: varint is too long")

    def count(self, entry_bytes_min, form="I"):
        value = self.number(form)
        check(value * entry_bytes_min <= len(self.data) - self.at, f"{self.what}: count {value} does not fit")
        return value

    def finish(self):
        check(self.at == len(self.data), f"{self.what} has bytes left over")


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(key, salt, info, count):
    pseudo_random_key = hmac_sha256(salt, key)
    out = block = b""
    while len(out) < count:
        block = hmac_sha256(pseudo_random_key, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:count]


def xxh3(data):
    value = xxhash.xxh3_128_intdigest(data)
    return struct.pack("<QQ", value & (1 << 64) - 1, value >> 64)


def without_digest(data, what):
    check(len(data) > 32 and sha256(data[:-32]) == data[-32:], f"{what}: the SHA-256 at its end does not match")
    return data[:-32]


@dataclass
class Envelope:
    kind: int
    head: bytes
    salt: bytes
    commitment: bytes


def head_of(kind):
    return b"drstrm" + bytes([kind, 1, 1, 0, 0, 0])


def read_envelope(data, kind, what):
    reader = Reader(data[:ENVELOPE_BYTES], f"{what}: envelope")
    check(reader.raw(6) == b"drstrm", f"{what}: wrong magic")
    got_kind, version, suite, key_method, flags = (reader.number(form) for form in "BBBBH")
    check(version != 0 and suite != 0 and got_kind != 0, f"{what}: envelope")
    if version > 1 or suite > 1 or key_method != 0 or flags != 0 or got_kind not in KINDS:
        raise TooNew(f"{what}: version {version}, kind {got_kind}, suite {suite}, key method {key_method}, flags {flags}")
    check(got_kind == kind, f"{what}: is of kind {got_kind}, expected {kind}")
    envelope = Envelope(kind, data[:12], reader.raw(32), reader.raw(32))
    if reader.u16() != 0:
        raise TooNew(f"{what}: key blob")
    return envelope


class Keys:
    def __init__(self, master, repository):
        self.master, self.repository = master, repository

    def sub(self, label):
        return hkdf(self.master, self.repository, b"drstream/1/" + label, 32)

    def of_object(self, key_class, head, salt):
        out = hkdf(self.sub(key_class), salt, b"drstream/1/object/" + key_class + b"/" + self.repository + head, 64)
        return out[:32], out[32:]


class Opener:
    """Opens the seals of one object."""

    def __init__(self, keys, envelope, what, name=b""):
        self.keys, self.envelope, self.what, self.name = keys, envelope, what, name
        key, commitment = keys.of_object(ENVELOPE_CLASS[envelope.kind], envelope.head, envelope.salt)
        check(hmac.compare_digest(commitment, envelope.commitment), f"{what}: the commitment is of other keys")
        self.main = AESGCM(key)
        self.data = None
        if envelope.kind == PACK:
            self.data = AESGCM(keys.of_object(b"data", envelope.head, envelope.salt)[0])

    def open(self, seal_kind, ordinal, sealed, plain_bytes=None, codec=RAW):
        check(len(sealed) >= TAG_BYTES, f"{self.what}: seal without a tag")
        if plain_bytes is None:
            plain_bytes = len(sealed) - TAG_BYTES
        additional = (
            self.keys.repository
            + bytes([self.envelope.kind, seal_kind, codec, 0])
            + self.envelope.salt
            + struct.pack("<QQH", ordinal, plain_bytes, len(self.name))
            + self.name
        )
        cipher = self.data if seal_kind == DATA_BLOCK else self.main
        try:
            return cipher.decrypt(bytes(4) + struct.pack("<Q", ordinal), sealed, additional)
        except InvalidTag:
            raise Damaged(f"{self.what}: seal {ordinal} of kind {seal_kind} does not authenticate") from None


def open_document(keys, kind, name, data):
    body = without_digest(data, name)
    envelope = read_envelope(body, kind, name)
    reader = Reader(body[ENVELOPE_BYTES:], name)
    check(reader.raw(16) == keys.repository, f"{name}: is of another repository")
    sealed = reader.raw(reader.u32())
    if reader.u16() != 0:
        raise TooNew(f"{name}: signature")
    reader.finish()
    return Opener(keys, envelope, name, name.encode()).open(DOCUMENT, 0, sealed)


def unlock_slot(data, name, repository, secrets):
    """The master key, or None when this slot is for another secret or repository."""
    body = without_digest(data, name)
    envelope = read_envelope(body, SLOT, name)
    reader = Reader(body[ENVELOPE_BYTES:], name)
    if reader.raw(16) != repository:
        return None
    master_key, kind = reader.u16(), reader.u8()
    if master_key != 0 or kind > 3:
        raise TooNew(f"{name}: slot kind {kind}, master key {master_key}")
    log2_n, r, p = (reader.number(form) for form in "BII")
    scrypt_salt = reader.raw(32)
    reader.string()  # label
    reader.i64()  # time created
    before_wrapped = body[: ENVELOPE_BYTES + reader.at]
    wrapped = reader.string()
    before_mac = body[: ENVELOPE_BYTES + reader.at]
    mac = reader.raw(32)
    reader.finish()
    check(kind in (1, 2, 3), f"{name}: slot kind {kind}")
    if kind not in secrets:
        return None
    if kind == 3:
        check(len(wrapped) == 32 and envelope.commitment == bytes(32), f"{name}: clear slot")
        master = wrapped
    else:
        secret = secrets[kind]
        if kind == 2:
            check(10 <= log2_n <= 20 and 1 <= r <= 32 and 1 <= p <= 16 and (128 << log2_n) * r <= 1 << 30,
                  f"{name}: scrypt parameters are out of range")
            secret = hashlib.scrypt(secret, salt=scrypt_salt, n=1 << log2_n, r=r, p=p, maxmem=(1 << 30) + (64 << 20), dklen=32)
        derived = hkdf(secret, envelope.salt, b"drstream/1/slot/" + repository + envelope.head, 64)
        if not hmac.compare_digest(derived[32:], envelope.commitment):
            return None
        try:
            master = AESGCM(derived[:32]).decrypt(bytes(12), wrapped, before_wrapped)
        except InvalidTag:
            raise Damaged(f"{name}: the wrapped key does not authenticate") from None
    check(hmac.compare_digest(hmac_sha256(Keys(master, repository).sub(b"slot-mac"), before_mac), mac), f"{name}: MAC")
    return master


def check_config(body, keys):
    reader = Reader(body, "config")
    version = reader.u16()
    check(version != 0, "config: version 0")
    if version > 1:
        raise TooNew(f"config: format version {version}")
    check(reader.raw(16) == keys.repository, "config: repository id in its body differs from the one in clear")
    suite = reader.u8()
    if suite > 1:
        raise TooNew(f"config: suite {suite}")
    encryption = reader.u8()
    check(suite != 0, "config: suite")
    check(reader.raw(32) == keys.sub(b"commit"), "config: commitment of the master key")
    reader.raw(4 + 4 + 4 + 1 + 4)
    if (required := reader.u64()) != DRAFT or encryption > 1:
        raise TooNew(f"config: encryption {encryption}, required features {required:#x}")
    reader.raw(8 + 8)
    reader.string()
    reader.finish()


@dataclass
class Stream:
    label: bytes
    count_bytes: int = 0
    chunk_count: int = 0
    sha256: bytes = None
    xxh3: bytes = b""
    parts: list = field(default_factory=list)


def is_manifest_name(name):
    return re.fullmatch(b"manifests/[0-9a-f]{32}-[0-9a-f]{32}", name) is not None


def read_stream(reader):
    out = Stream(reader.string())
    reader.raw(16)  # session that wrote it
    out.count_bytes = reader.u64()
    has_sha256, digest = reader.u8(), reader.raw(32)
    check(has_sha256 == 1 or (has_sha256 == 0 and digest == bytes(32)), f"{reader.what}: SHA-256 flag")
    out.sha256 = digest if has_sha256 else None
    out.xxh3 = reader.raw(16)
    out.chunk_count = reader.u64()
    end = 0
    for _ in range(reader.count(40)):
        block, offset, count = (reader.raw(16), reader.u64()), reader.u64(), reader.u64()
        check(offset == end and count > 0, f"{reader.what}: recipe parts do not lie end to end")
        out.parts.append((block, offset, count))
        end += count
    check(end == out.count_bytes, f"{reader.what}: recipe parts end at {end}, expected {out.count_bytes}")
    check(len(out.label) <= 64, f"{reader.what}: label")
    return out


@dataclass
class Manifest:
    name: str
    stream: bytes = b""
    session: bytes = b""
    sequence: int = 0
    snapshot_ns: int = 0
    content: int = 0
    count_bytes: int = 0
    streams: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)


def read_manifest(body, name, keys):
    reader = Reader(body, name)
    out = Manifest(name)
    out.stream = reader.string()
    out.session = reader.raw(16)
    out.sequence = reader.u64()
    predecessor, predecessor_digest = reader.string(), reader.raw(32)
    check(out.sequence > 0 and (predecessor == b"") == (predecessor_digest == bytes(32)), f"{name}: predecessor")
    check(predecessor == b"" or is_manifest_name(predecessor), f"{name}: name of the predecessor")
    out.snapshot_ns = reader.i64()
    reader.raw(16)  # started, finished
    reader.string(), reader.string()  # host, tool version
    reader.raw(32)  # config digest
    producer = reader.u8()
    reader.string()  # command
    reader.raw(4)  # exit status
    reader.string(), reader.string()  # stderr tail, trailer pattern
    out.content = reader.u8()
    if producer > 3 or out.content > 2:
        raise TooNew(f"{name}: producer {producer}, content {out.content}")
    out.count_bytes, chunk_count = reader.u64(), reader.u64()
    reader.raw(16)  # new bytes, stored bytes
    unreadable = [(reader.string(), reader.raw(32))[0] for _ in range(reader.count(34, "H"))]
    check(unreadable == sorted(set(unreadable)) and all(map(is_manifest_name, unreadable)) and len(unreadable) <= 1024,
          f"{name}: unreadable manifests")
    out.streams = [read_stream(reader) for _ in range(reader.count(87))]
    labels = [stream.label for stream in out.streams]
    check(1 <= len(labels) <= 8192 and len(set(labels)) == len(labels), f"{name}: labels of streams")
    check(out.content != 0 or labels == [b""], f"{name}: streams of bytes")
    check(sum(len(stream.parts) for stream in out.streams) <= 65536, f"{name}: recipe parts")
    sums = sum(stream.count_bytes for stream in out.streams), sum(stream.chunk_count for stream in out.streams)
    check(sums == (out.count_bytes, chunk_count), f"{name}: sums of its streams")
    for _ in range(reader.count(4, "H")):
        key = reader.string()
        check(not out.tags or key > max(out.tags), f"{name}: tags are not sorted")
        out.tags[key] = reader.string()
    reader.finish()
    tag = hmac_sha256(keys.sub(b"stream-tag"), out.stream)[:16]
    check(name == f"manifests/{tag.hex()}-{out.session.hex()}", f"{name}: the name does not agree with the body")
    return out


def check_fence(body, name, keys):
    """A fence stands where the manifest of a session would: there is no snapshot."""
    reader = Reader(body, name)
    session, stream = reader.raw(16), reader.string()
    reader.i64()  # time
    reader.string()  # by
    reader.finish()
    tag = hmac_sha256(keys.sub(b"stream-tag"), stream)[:16]
    check(name == f"manifests/{tag.hex()}-{session.hex()}", f"{name}: the name does not agree with the body")


@dataclass
class Block:
    pack: str
    kind: int
    codec: int
    chunk_count: int
    offset: int
    sealed_bytes: int
    raw_bytes: int
    ordinal: int
    xxh3: bytes


def read_record(reader, pack):
    """From counter to xxh3."""
    counter = reader.u64()
    block = Block(pack, *(reader.number(form) for form in "BBHIIIQ"), reader.raw(16))
    check(block.kind != 0, f"{reader.what}: kind of a block")
    if block.kind > 2 or block.codec > LZ4:
        raise TooNew(f"{reader.what}: block of kind {block.kind}, codec {block.codec}")
    check(1 <= block.raw_bytes <= BLOCK_BYTES_MAX, f"{reader.what}: length of a block")
    check((block.chunk_count > 0) == (block.kind == 1), f"{reader.what}: count of chunks")
    whole = block.raw_bytes + TAG_BYTES
    right = block.sealed_bytes == whole if block.codec == RAW else TAG_BYTES < block.sealed_bytes < whole
    check(right and block.offset >= ENVELOPE_BYTES, f"{reader.what}: place or sealed length of a block")
    return counter, block


class Folder:
    """Where the objects are. Any other store will do that has these two functions."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def objects(self):
        """How many bytes each has, by name."""
        return {p.relative_to(self.path).as_posix(): p.stat().st_size for p in self.path.glob("**/*") if p.is_file()}

    def read_object(self, name, begin=0, end=None):
        """Its bytes from `begin` on, up to `end`. Raises OSError."""
        with open(self.path / name, "rb") as file:
            file.seek(begin)
            return file.read() if end is None else file.read(end - begin)


class Repository:
    def __init__(self, store):
        self.store = store
        self.objects = store.objects()
        self.keys = None
        self.packs = {}  # name -> (bytes of the pack, Opener), once its digest was checked
        self.blocks = {}  # (session, counter) -> [Block]
        self.plain = {}  # a few decoded blocks

    def names(self, folder, form):
        return [name for name in sorted(self.objects) if re.fullmatch(folder + "/" + form, name)]

    def get(self, name):
        return self.store.read_object(name)

    def unlock(self, secrets):
        """Tries each slot. The config with the highest number counts: another one would drop what it requires."""
        configs = self.names("config", "[0-9]{8}")
        if not configs:
            raise WrongKey("no repository here")
        name, problems = configs[-1], []
        data = self.get(name)
        read_envelope(without_digest(data, name), CONFIG, name)
        repository = Reader(data[ENVELOPE_BYTES:], name).raw(16)
        for slot in self.names("keys", "[0-9a-f]{32}"):
            try:
                master = unlock_slot(self.get(slot), slot, repository, secrets)
            except (Damaged, TooNew) as problem:  # another slot may hold the same master key
                problems.append(problem)
                continue
            if master is not None:
                keys = Keys(master, repository)
                check_config(open_document(keys, CONFIG, name, data), keys)
                self.keys = keys
                return
        if problems:
            raise type(problems[0])("; ".join(map(str, problems)))
        raise WrongKey("no slot takes this key")

    def manifests(self):
        removed = {name.split("/")[1] for name in self.names("removed", "[0-9a-f]{32}-[0-9a-f]{32}") if self.is_removed(name)}
        out = []
        for name in self.names("manifests", "[0-9a-f]{32}-[0-9a-f]{32}"):
            if name.split("/")[1] in removed:
                continue
            data = self.get(name)
            if data[6:7] == bytes([FENCE]):
                check_fence(open_document(self.keys, FENCE, name, data), name, self.keys)
            else:
                out.append(read_manifest(open_document(self.keys, MANIFEST, name, data), name, self.keys))
        return sorted(out, key=lambda m: (m.sequence, m.snapshot_ns, m.session))

    def is_removed(self, name):
        reader = Reader(open_document(self.keys, REMOVED, name, self.get(name)), name)
        manifest = reader.string().decode()
        reader.raw(32), reader.string(), reader.u64(), reader.i64(), reader.string()
        reader.finish()
        check(manifest.split("/")[1] == name.split("/")[1], f"{name}: names {manifest}")
        return True

    def pack(self, name):
        if name not in self.packs:
            data = self.get(name)
            check(sha256(data).hex() == name.split("/")[-1], f"{name}: bytes do not match the name")
            self.packs[name] = len(data), Opener(self.keys, read_envelope(data, PACK, name), name)
        return self.packs[name]

    def read_range(self, name, begin, end):
        return self.store.read_object(name, begin, end)

    def load_index(self, name):
        """Yields the names of the packs that the index object covers, after adding their blocks."""
        data = self.get(name)
        check(sha256(data).hex() == name.split("/")[-1], f"{name}: bytes do not match the name")
        opener = Opener(self.keys, read_envelope(data, INDEX, name), name)
        footer = Reader(data[-12:], name)
        ordinal, sealed_bytes = footer.u64(), footer.u32()
        summary_at = len(data) - 12 - sealed_bytes
        check(ENVELOPE_BYTES <= summary_at, f"{name}: footer")
        reader = Reader(opener.open(INDEX_SUMMARY, ordinal, data[summary_at:-12]), f"{name}: summary")
        reader.i64()
        packs = [(reader.raw(32).hex(), reader.u64(), reader.raw(32)) for _ in range(reader.count(72))]
        sessions = [(reader.raw(16), reader.u64(), reader.u64(), reader.u32()) for _ in range(reader.count(36))]
        count, chunk_count = reader.u32(), reader.u64()
        directory_at, directory_bytes, hooks_at, hooks_bytes = reader.u64(), reader.u32(), reader.u64(), reader.u32()
        reader.finish()
        check(ordinal == count + 2 and directory_bytes == 64 * count + TAG_BYTES, f"{name}: summary")
        check(hooks_at == directory_at + directory_bytes and summary_at == hooks_at + hooks_bytes, f"{name}: sections")
        names = [f"packs/{digest[:2]}/{digest}" for digest, _, _ in packs]
        present = [self.objects.get(n) == size for n, (_, size, _) in zip(names, packs)]
        reader = Reader(opener.open(INDEX_DIRECTORY, count, data[directory_at:hooks_at]), f"{name}: directory")
        words, before, list_at = [], None, ENVELOPE_BYTES
        for place in range(count):
            session, pack = reader.u32(), reader.u32()
            check(session < len(sessions) and pack < len(packs), f"{name}: directory")
            counter, block = read_record(reader, names[pack])
            stated_list_at = reader.u64()
            check(stated_list_at == (list_at if block.chunk_count else 0), f"{name}: place of a chunk list")
            order = sessions[session][0], counter, pack
            check(before is None or before < order, f"{name}: directory is not sorted")
            before = order
            if block.chunk_count:
                end = list_at + 34 * block.chunk_count + TAG_BYTES
                chunks = read_chunks(Reader(opener.open(CHUNK_LIST, place, data[list_at:end]), f"{name}: chunk list"), block)
                words += [(struct.unpack("<Q", c[:8])[0], place, i) for i, (c, _) in enumerate(chunks)]
                list_at = end
            if present[pack]:
                self.add_block((sessions[session][0], counter), block)
        reader.finish()
        check(list_at == directory_at and len(words) == chunk_count, f"{name}: chunk lists")
        reader = Reader(opener.open(INDEX_HOOKS, count + 1, data[hooks_at:summary_at]), f"{name}: hooks")
        hooks = [(reader.u64(), reader.u32(), reader.u16()) for _ in range(reader.count(14))]
        reader.finish()
        check(hooks == [w for w in words if w[0] % 16 == 0], f"{name}: hooks are not those of its chunks")
        return [n for n, there in zip(names, present) if there]

    def load_table(self, name):
        pack_bytes, opener = self.pack(name)
        footer = Reader(self.read_range(name, pack_bytes - 12, pack_bytes), name)
        ordinal, sealed_bytes = footer.u64(), footer.u32()
        table_at = pack_bytes - 12 - sealed_bytes
        check(ENVELOPE_BYTES <= table_at, f"{name}: footer")
        sealed = self.read_range(name, table_at, pack_bytes - 12)
        reader = Reader(opener.open(PACK_TABLE, ordinal, sealed), f"{name}: table")
        sessions = [reader.raw(16) for _ in range(reader.count(16))]
        blocks = []
        for _ in range(reader.count(RECORD_BYTES)):
            session = reader.u32()
            check(session < len(sessions), f"{name}: session number")
            counter, block = read_record(reader, name)
            check(block.offset + block.sealed_bytes <= table_at, f"{name}: a block lies outside")
            blocks.append(((sessions[session], counter), block))
        for block_id, block in blocks:
            block.chunks = read_chunks(reader, block) if block.kind == 1 else []
            self.add_block(block_id, block)
        reader.finish()

    def add_block(self, block_id, block):
        self.blocks.setdefault(block_id, []).append(block)

    def load_blocks(self, from_packs):
        covered = set()
        if not from_packs:
            for name in self.names("index", "[0-9a-f]{64}"):
                covered.update(self.load_index(name))
        for name in self.names("packs", "[0-9a-f]{2}/[0-9a-f]{64}"):
            if name not in covered:
                self.load_table(name)

    def read_block(self, block_id, kind):
        if block_id in self.plain:
            return self.plain[block_id]
        claims = self.blocks.get(block_id, [])
        check(claims, f"block {block_id[0].hex()}:{block_id[1]} is in no pack")
        for i, block in enumerate(claims):
            try:
                plain = self.decode_block(block, kind)
                break
            except Damaged:
                if i + 1 == len(claims):
                    raise
        if len(self.plain) >= 64:
            self.plain.pop(next(iter(self.plain)))
        self.plain[block_id] = plain
        return plain

    def decode_block(self, block, kind):
        _, opener = self.pack(block.pack)
        check(block.kind == kind, f"{block.pack}: block is of kind {block.kind}, expected {kind}")
        sealed = self.read_range(block.pack, block.offset, block.offset + block.sealed_bytes)
        check(len(sealed) == block.sealed_bytes, f"{block.pack}: a block lies outside")
        plain = opener.open(block.kind, block.ordinal, sealed, block.raw_bytes, block.codec)
        try:
            if block.codec == ZSTD:
                check(zstandard.frame_content_size(plain) == block.raw_bytes, f"{block.pack}: content size of a frame")
                plain = zstandard.ZstdDecompressor().decompress(plain)
            elif block.codec == LZ4:
                plain = lz4.block.decompress(plain, uncompressed_size=block.raw_bytes)
        except (zstandard.ZstdError, lz4.block.LZ4BlockError) as problem:
            raise Damaged(f"{block.pack}: a block does not decompress: {problem}") from None
        check(len(plain) == block.raw_bytes and xxh3(plain) == block.xxh3, f"{block.pack}: plaintext of a block")
        at, chunk_id_key = 0, self.keys.sub(b"chunk-id")
        for chunk_id, count in getattr(block, "chunks", []):
            check(hmac_sha256(chunk_id_key, plain[at : at + count]) == chunk_id, f"{block.pack}: id of a chunk")
            at += count
        return plain

    def runs(self, stream):
        """Yields the stream's runs in order: id of the block, first chunk, count of chunks, offset in the block, bytes."""
        for block_id, offset, count in stream.parts:
            reader = Reader(self.read_block(block_id, 2), f"recipe part at {offset}")
            check((reader.u64(), reader.u64()) == (offset, count), f"{reader.what}: is for other bytes")
            sessions = [reader.raw(16) for _ in range(reader.count(16))]
            blocks = []
            for _ in range(reader.count(2)):
                session, counter = reader.varint(), reader.varint()
                check(session < len(sessions), f"{reader.what}: session number")
                blocks.append((sessions[session], counter))
            covered = 0
            for _ in range(reader.count(5)):
                block, first_chunk, chunk_count, begin, run_bytes = (reader.varint() for _ in range(5))
                check(block < len(blocks) and chunk_count > 0 and run_bytes > 0, f"{reader.what}: run")
                yield blocks[block], first_chunk, chunk_count, begin, run_bytes
                covered += run_bytes
            reader.finish()
            check(covered == count, f"{reader.what}: runs do not sum")

    def restore(self, manifest, out):
        if manifest.content != 0:
            raise TooNew(f"{manifest.name}: an archive of topics")
        stream = manifest.streams[0]
        whole, whole_xxh3, written = hashlib.sha256(), xxhash.xxh3_128(), 0
        for block_id, _, _, begin, run_bytes in self.runs(stream):
            plain = self.read_block(block_id, 1)
            check(begin + run_bytes <= len(plain), f"{manifest.name}: a run lies outside its block")
            piece = plain[begin : begin + run_bytes]
            out.write(piece)
            whole.update(piece)
            whole_xxh3.update(piece)
            written += run_bytes
        value = whole_xxh3.intdigest()
        check(written == stream.count_bytes, f"restored {written} bytes, expected {stream.count_bytes}")
        check(stream.sha256 in (None, whole.digest()), "SHA-256 of the stream does not match")
        check(struct.pack("<QQ", value & (1 << 64) - 1, value >> 64) == stream.xxh3, "xxh3 of the stream does not match")


def read_chunks(reader, block):
    check(block.chunk_count * 34 <= len(reader.data) - reader.at, f"{reader.what} ends early")
    chunks = [(reader.raw(32), reader.u16()) for _ in range(block.chunk_count)]
    check(all(count > 0 for _, count in chunks) and sum(count for _, count in chunks) == block.raw_bytes,
          f"{reader.what}: lengths of chunks do not sum")
    return chunks


def secrets_from(environment):
    if "BACKUP_ENCRYPTION_KEY" in environment:
        text = environment["BACKUP_ENCRYPTION_KEY"].strip()
        if not re.fullmatch("[0-9a-fA-F]{64}", text):
            raise WrongKey("BACKUP_ENCRYPTION_KEY is not 64 hexadecimal digits")
        return {1: bytes.fromhex(text)}
    if "BACKUP_PASSPHRASE" in environment:
        return {2: environment["BACKUP_PASSPHRASE"].encode()}
    return {3: b""}


def choose(manifests, snapshot, stream):
    if stream is not None:
        manifests = [m for m in manifests if m.stream == stream.encode()]
    if snapshot != "latest":
        manifests = [m for m in manifests if m.session.hex().startswith(snapshot)]
    streams = {m.stream for m in manifests}
    if not manifests:
        raise LookupError("no such snapshot")
    if len(streams) > 1 or (snapshot != "latest" and len(manifests) > 1):
        raise LookupError("several snapshots fit: " + ", ".join(m.name for m in manifests))
    return manifests[-1]


def main(store=Folder):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("repository")
    parser.add_argument("snapshot", help="session uuid, its beginning, or 'latest'")
    parser.add_argument("--stream")
    parser.add_argument("--from-packs", action="store_true", help="read no index, only the packs' tables")
    arguments = parser.parse_args()
    try:
        repository = Repository(store(arguments.repository))
        repository.unlock(secrets_from(os.environ))
        manifest = choose(repository.manifests(), arguments.snapshot, arguments.stream)
        repository.load_blocks(arguments.from_packs)
        repository.restore(manifest, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except (Damaged, TooNew, WrongKey, LookupError, OSError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    print(f"{manifest.name}: {manifest.count_bytes} bytes, all checks passed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
