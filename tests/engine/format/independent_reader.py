#!/usr/bin/python3
"""Restores a stream from a repository of format version 1, written from docs/FORMAT.md alone.

usage: independent_reader.py REPOSITORY_DIR SNAPSHOT|latest [--stream NAME] [--from-packs] > out

It shares no code with drstream, so it proves that FORMAT.md is sufficient. It is also the recovery path of last resort:
one file to copy. It treats stored bytes as untrusted: it checks every rule that the page marks *reader checks*, and
exits with 1 if the output fails a final check. Damaged means that bytes break a rule, TooNew that a later version wrote
them, WrongKey that the key does not open them. SNAPSHOT is a session uuid (hex) or the beginning of one. The key comes
from BACKUP_ENCRYPTION_KEY (64 hex digits) or BACKUP_PASSPHRASE; without either, the reader looks for a clear slot. It
needs Python's standard library and Debian's python3-cryptography, python3-lz4, python3-xxhash and python3-zstandard.
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

PACK, INDEX, MANIFEST, REMOVED, CONFIG, SLOT, SESSION, CONDEMNED, DAMAGED = range(1, 10)
WAITS, FENCE, RETIRED, KEPT, VERIFIED, HOLD = range(10, 16)
KNOWN_KINDS = range(1, 16)
DATA_BLOCK, RECIPE_BLOCK, PACK_TABLE, INDEX_SUMMARY, INDEX_HOOKS, INDEX_DIRECTORY, CHUNK_LIST, DOCUMENT = range(1, 9)
RAW, ZSTD, LZ4 = 0, 1, 2
RAW_KEY, PASSPHRASE, CLEAR = 1, 2, 3
ENVELOPE_CLASS = {PACK: b"metadata", INDEX: b"metadata", SESSION: b"metadata", CONDEMNED: b"metadata",
                  WAITS: b"metadata", MANIFEST: b"manifest", REMOVED: b"manifest", FENCE: b"manifest",
                  RETIRED: b"manifest", KEPT: b"manifest", VERIFIED: b"manifest", HOLD: b"manifest",
                  CONFIG: b"config"}  # fmt: skip
ENVELOPE_BYTES, TAG_BYTES, RECORD_BYTES, FOOTER_BYTES, BLOCK_BYTES_MAX = 78, 16, 52, 12, 1 << 20
DOCUMENT_BYTES_MAX, SLOT_BYTES_MAX, PACK_BYTES_MAX, INDEX_BYTES_MAX = 4 << 20, 64 << 10, 128 << 20, 64 << 20
PACK_BLOCKS_MAX, INDEX_BLOCKS_MAX, CONDEMNED_PACKS_MAX = 1024, 4096, 65536
WAITING_SESSIONS_MAX, RETIRED_ENTRIES_MAX, HOLD_OVERRIDES_MAX = 60_000, 40_000, 1024
TABLE_SEALED_BYTES_MIN = 4 + 4 + TAG_BYTES
PACK_BYTES_MIN = ENVELOPE_BYTES + TABLE_SEALED_BYTES_MIN + FOOTER_BYTES
SEQUENCE_MAX = (1 << 48) - 1
NUMBER_MAX = 99_999_999  # of 8 digits, in a name
HOOKS_SEALED_BYTES_MIN = 4 + TAG_BYTES
SUMMARY_SEALED_BYTES_MIN = 8 + 4 + 4 + 4 + 8 + 12 + 12 + TAG_BYTES
DRAFT_FEATURES, DRAFT_FEATURE = 0xFF << 56, 1 << 56

HEX = "[0-9a-f]"
NAMES = {
    "config": f"config/[0-9]{{8}}",
    "slot": f"keys/{HEX}{{32}}",
    "pack": f"packs/({HEX}{{2}})/\\1{HEX}{{62}}",
    "index": f"index/{HEX}{{64}}",
    "manifest": f"manifests/{HEX}{{32}}-{HEX}{{32}}",
    "removed": f"removed/{HEX}{{32}}-{HEX}{{32}}",
    "session": f"sessions/{HEX}{{32}}-{HEX}{{32}}-[0-9]{{8}}",
    "condemned": f"condemned/{HEX}{{32}}",
    "waits": f"waits/{HEX}{{32}}",
    "retired": f"retired/{HEX}{{32}}-{HEX}{{32}}",
    "kept": f"kept/{HEX}{{32}}-{HEX}{{32}}-[0-9]{{8}}",
    "hold": f"holds/{HEX}{{32}}-{HEX}{{32}}-[0-9]{{8}}",
    "verified": f"verified/{HEX}{{32}}",
    "damaged": f"damaged/{HEX}{{64}}-{HEX}{{32}}",
}


class Damaged(Exception):
    """Stored bytes break a rule of FORMAT.md."""


class TooNew(Exception):
    """Written by a later version."""


class WrongKey(Exception):
    """No key, or a key that opens no slot."""


def check(condition, text):
    if not condition:
        raise Damaged(text)


def check_known(value, known, text):
    """An unknown 0 is damage; any other unknown value comes from a later version."""
    if value not in known:
        check(value != 0, f"{text} is 0")
        raise TooNew(f"{text} is {value}, known is {', '.join(map(str, known))}")


def kind_of_name(name):
    """The kind of the object with this name, or None."""
    return next((kind for kind, form in NAMES.items() if re.fullmatch(form, name)), None)


class Reader:
    """Reads fields in order; a read past the end is damage."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def left(self):
        return len(self.data) - self.at

    def raw(self, count):
        check(count <= self.left(), f"{self.what} ends early")
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

    def string(self, bytes_max=0xFFFF):
        value = self.raw(self.u16())
        check(len(value) <= bytes_max, f"{self.what}: a text of {len(value)} bytes, at most {bytes_max}")
        return value

    def varint(self):
        value = 0
        for i in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                check(value < 1 << 64 and (byte != 0 or i == 0), f"{self.what}: varint is not in its shortest form")
                return value
        raise Damaged(f"{self.what}: varint is too long")

    def count(self, entry_bytes_min, form="I", count_max=None):
        value = self.number(form)
        check(count_max is None or value <= count_max, f"{self.what}: count {value}, at most {count_max}")
        check(value * entry_bytes_min <= self.left(), f"{self.what}: count {value} does not fit")
        return value

    def sessions(self):
        """A list of sessions; all must be used, first uses in list order."""
        listed = [self.raw(16) for _ in range(self.count(16))]
        check(len(set(listed)) == len(listed), f"{self.what}: a session is listed twice")
        return SessionList(listed, self.what)

    def finish(self):
        check(self.at == len(self.data), f"{self.what} has bytes left over")


class SessionList:
    def __init__(self, listed, what):
        self.listed, self.what, self.used = listed, what, 0

    def use(self, number):
        check(number < len(self.listed) and number <= self.used, f"{self.what}: session number {number}")
        self.used = max(self.used, number + 1)
        return self.listed[number]

    def finish(self):
        check(self.used == len(self.listed), f"{self.what}: a session is not used")


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


def without_digest(data, what, bytes_max):
    check(len(data) <= bytes_max, f"{what}: {len(data)} bytes, at most {bytes_max}")
    check(len(data) > 32 and sha256(data[:-32]) == data[-32:], f"{what}: the SHA-256 at its end does not match")
    return data[:-32]


@dataclass
class Envelope:
    kind: int
    head: bytes
    salt: bytes
    commitment: bytes


def read_envelope(data, kind, what):
    reader = Reader(data[:ENVELOPE_BYTES], f"{what}: envelope")
    head = Reader(reader.raw(12), reader.what)
    check(head.raw(6) == b"drstrm", f"{what}: wrong magic")
    got_kind, version, suite, key_method, flags = (head.number(form) for form in "BBBBH")
    check_known(version, [1], f"{what}: version")
    check_known(got_kind, KNOWN_KINDS, f"{what}: kind")
    check(got_kind == kind, f"{what}: is of kind {got_kind}, expected {kind}")
    check_known(suite, [1], f"{what}: suite")
    if key_method != 0 or flags != 0:
        raise TooNew(f"{what}: key method {key_method}, flags {flags}")
    envelope = Envelope(kind, head.data, reader.raw(32), reader.raw(32))
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

    def stream_tag(self, stream):
        return hmac_sha256(self.sub(b"stream-tag"), stream)[:16]


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

    def additional(self, seal_kind, ordinal, plain_bytes, codec):
        return (
            self.keys.repository
            + bytes([self.envelope.kind, seal_kind, codec, 0])
            + self.envelope.salt
            + struct.pack("<QQH", ordinal, plain_bytes, len(self.name))
            + self.name
        )

    def open(self, seal_kind, ordinal, sealed, plain_bytes=None, codec=RAW):
        check(len(sealed) >= TAG_BYTES, f"{self.what}: seal without a tag")
        if plain_bytes is None:
            plain_bytes = len(sealed) - TAG_BYTES
        cipher = self.data if seal_kind == DATA_BLOCK else self.main
        try:
            return cipher.decrypt(nonce(ordinal), sealed, self.additional(seal_kind, ordinal, plain_bytes, codec))
        except InvalidTag:
            raise Damaged(f"{self.what}: seal {ordinal} of kind {seal_kind} does not authenticate") from None


def nonce(ordinal):
    return bytes(4) + struct.pack("<Q", ordinal)


def take_document(kind, name, data):
    """Envelope, repository id and seal of a document, after all checks that need no key."""
    body = without_digest(data, name, DOCUMENT_BYTES_MAX)
    envelope = read_envelope(body, kind, name)
    reader = Reader(body[ENVELOPE_BYTES:], name)
    repository = reader.raw(16)
    sealed = reader.raw(reader.u32())
    signature = reader.string()
    reader.finish()
    if signature:
        raise TooNew(f"{name}: signature of {len(signature)} bytes")
    return envelope, repository, sealed


def open_document(keys, kind, name, data):
    envelope, repository, sealed = take_document(kind, name, data)
    check(repository == keys.repository, f"{name}: is of another repository")
    return Opener(keys, envelope, name, name.encode()).open(DOCUMENT, 0, sealed)


def identity(data):
    """The identity of a document: the SHA-256 of all bytes before the length of its signature."""
    return sha256(data[: -32 - 2])


@dataclass
class Slot:
    kind: int
    repository: bytes
    envelope: Envelope
    scrypt: tuple
    scrypt_salt: bytes
    before_wrapped: bytes
    wrapped: bytes
    before_mac: bytes
    mac: bytes


def read_slot(data, name):
    body = without_digest(data, name, SLOT_BYTES_MAX)
    envelope = read_envelope(body, SLOT, name)
    reader = Reader(body[ENVELOPE_BYTES:], name)
    repository = reader.raw(16)
    if (number := reader.u16()) != 0:
        raise TooNew(f"{name}: is of master key {number}")
    kind = reader.u8()
    check_known(kind, (RAW_KEY, PASSPHRASE, CLEAR), f"{name}: slot kind")
    scrypt = reader.u8(), reader.u32(), reader.u32()
    scrypt_salt = reader.raw(32)
    reader.string(1024)  # label
    reader.i64()  # time created
    before_wrapped = body[: ENVELOPE_BYTES + reader.at]
    wrapped = reader.string()
    before_mac = body[: ENVELOPE_BYTES + reader.at]
    mac = reader.raw(32)
    reader.finish()
    check(kind == PASSPHRASE or (scrypt == (0, 0, 0) and scrypt_salt == bytes(32)), f"{name}: scrypt's fields")
    check(len(wrapped) == (32 if kind == CLEAR else 48), f"{name}: length of the wrapped key")
    check(kind != CLEAR or envelope.commitment == bytes(32), f"{name}: commitment of a clear slot")
    return Slot(kind, repository, envelope, scrypt, scrypt_salt, before_wrapped, wrapped, before_mac, mac)


def unlock_slot(slot, secret, name):
    """The master key."""
    master = slot.wrapped
    if slot.kind != CLEAR:
        if slot.kind == PASSPHRASE:
            log2_n, r, p = slot.scrypt
            check(10 <= log2_n <= 20 and 1 <= r <= 32 and 1 <= p <= 16 and (128 << log2_n) * r <= 1 << 30,
                  f"{name}: scrypt parameters are out of range")
            secret = hashlib.scrypt(secret, salt=slot.scrypt_salt, n=1 << log2_n, r=r, p=p,
                                    maxmem=(1 << 30) + (64 << 20), dklen=32)
        derived = hkdf(secret, slot.envelope.salt, b"drstream/1/slot/" + slot.repository + slot.envelope.head, 64)
        if not hmac.compare_digest(derived[32:], slot.envelope.commitment):
            raise WrongKey(f"{name}: is for another key")
        try:
            master = AESGCM(derived[:32]).decrypt(bytes(12), slot.wrapped, slot.before_wrapped)
        except InvalidTag:
            raise Damaged(f"{name}: the wrapped key does not authenticate") from None
    mac = hmac_sha256(Keys(master, slot.repository).sub(b"slot-mac"), slot.before_mac)
    check(hmac.compare_digest(mac, slot.mac), f"{name}: MAC")
    return master


@dataclass
class Config:
    repository: bytes
    encrypted: bool
    commitment: bytes
    chunk_bytes_min: int


def read_config(body):
    reader = Reader(body, "config")
    check_known(reader.u16(), [1], "config: version")
    repository, suite, encryption, commitment = reader.raw(16), reader.u8(), reader.u8(), reader.raw(32)
    chunk_min, chunk_mean, chunk_max, normalization = (reader.number(form) for form in "IIIB")
    block_max, required, _optional = reader.u32(), reader.u64(), reader.u64()
    reader.i64(), reader.string()
    check_known(suite, [1], "config: suite")
    if required != DRAFT_FEATURE:  # exactly this draft's bit, and no feature
        raise TooNew(f"config: required features {required:#x}")
    if encryption > 1:
        raise TooNew(f"config: encryption {encryption}")
    reader.finish()
    check(chunk_mean in [1 << n for n in range(9, 16)] and 64 <= chunk_min < chunk_mean < chunk_max <= 65534
          and normalization <= 3, "config: parameters of chunks")  # fmt: skip
    check(chunk_max <= block_max <= BLOCK_BYTES_MAX, "config: length of blocks")
    return Config(repository, encryption == 1, commitment, chunk_min)


# Documents: manifests, fences, marks.


@dataclass
class Stream:
    label: bytes
    session: bytes
    count_bytes: int
    sha256: bytes
    xxh3: bytes
    chunk_count: int
    parts: list  # (block id, stream offset, stream bytes)


@dataclass
class Manifest:
    stream: bytes = b""
    session: bytes = b""
    sequence: int = 0
    predecessor: bytes = b""
    predecessor_digest: bytes = b""
    snapshot_ns: int = 0
    config_digest: bytes = b""
    producer: int = 0
    content: int = 0
    count_bytes: int = 0
    chunk_count: int = 0
    unreadable: list = field(default_factory=list)  # (name, digest)
    streams: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    name: str = ""


def read_stream(reader, parts_max):
    label, session, count_bytes = reader.string(64), reader.raw(16), reader.u64()
    has_sha256, digest = reader.u8(), reader.raw(32)
    check(has_sha256 == 1 or (has_sha256 == 0 and digest == bytes(32)), f"{reader.what}: SHA-256 flag")
    stream = Stream(label, session, count_bytes, digest if has_sha256 else None, reader.raw(16), reader.u64(), [])
    end = 0
    for _ in range(reader.count(40, "I", parts_max)):
        block, offset, count = (reader.raw(16), reader.u64()), reader.u64(), reader.u64()
        check(offset == end and count > 0, f"{reader.what}: recipe parts do not lie end to end")
        stream.parts.append((block, offset, count))
        end += count
    check(end == count_bytes, f"{reader.what}: recipe parts end at {end}, expected {count_bytes}")
    return stream


def read_manifest(body):
    reader = Reader(body, "manifest")
    out = Manifest(reader.string(255), reader.raw(16), reader.u64(), reader.string(75), reader.raw(32), reader.i64())
    reader.raw(16)  # started, finished
    reader.string(255), reader.string(255)  # host, tool version
    out.config_digest = reader.raw(32)
    out.producer = reader.u8()
    reader.string(16384)  # command
    reader.raw(4)  # exit status
    reader.string(16384), reader.string(4096)  # stderr tail, trailer pattern
    out.content = reader.u8()
    if out.producer > 3 or out.content > 2:
        raise TooNew(f"manifest: producer {out.producer}, content {out.content}")
    out.count_bytes, out.chunk_count = reader.u64(), reader.u64()
    reader.raw(16)  # new bytes, stored bytes
    for _ in range(reader.count(109, "H", 1024)):
        name, digest = reader.string(), reader.raw(32)
        check(is_manifest_name(name), "manifest: name of an unreadable one")
        check(not out.unreadable or name > out.unreadable[-1][0], "manifest: unreadable ones are not sorted")
        out.unreadable.append((name, digest))
    parts_left = 65536
    for _ in range(reader.count(87, "I", 8192)):
        out.streams.append(read_stream(reader, parts_left))
        parts_left -= len(out.streams[-1].parts)
    tags_bytes = 0
    for _ in range(reader.count(4, "H")):
        key = reader.string()
        check(not out.tags or key > max(out.tags), "manifest: tags are not sorted")
        out.tags[key] = reader.string()
        tags_bytes += 4 + len(key) + len(out.tags[key])
    reader.finish()
    check(tags_bytes <= 65536, "manifest: length of the tags")
    check(0 < out.sequence <= SEQUENCE_MAX, "manifest: sequence")
    has_predecessor = out.predecessor != b""
    check(has_predecessor == (out.predecessor_digest != bytes(32)), "manifest: predecessor")
    check(not has_predecessor or is_manifest_name(out.predecessor), "manifest: name of the predecessor")
    labels = [stream.label for stream in out.streams]
    check(labels and len(set(labels)) == len(labels), "manifest: labels of streams")
    check(out.content != 0 or labels == [b""], "manifest: streams of content 0")
    check(sum(s.count_bytes for s in out.streams) == out.count_bytes, "manifest: sum of bytes")
    check(sum(s.chunk_count for s in out.streams) == out.chunk_count, "manifest: sum of chunks")
    return out


def is_manifest_name(name):
    return kind_of_name(name.decode("latin-1")) == "manifest"


def read_manifest_object(keys, name, data):
    """The manifest with that name; None if it is the fence of its session."""
    fence = data[:7] == b"drstrm" + bytes([FENCE])
    if fence:
        stream, session = read_fence(open_document(keys, FENCE, name, data))
    else:
        manifest = read_manifest(open_document(keys, MANIFEST, name, data))
        manifest.name = name
        stream, session = manifest.stream, manifest.session
    check(name == f"manifests/{keys.stream_tag(stream).hex()}-{session.hex()}", f"{name}: does not agree with its body")
    return None if fence else manifest


def read_fence(body):
    reader = Reader(body, "fence")
    session, stream = reader.raw(16), reader.string()
    reader.i64(), reader.string()
    reader.finish()
    return stream, session


def read_removed(body):
    """Name and identity of the manifest."""
    reader = Reader(body, "removed mark")
    manifest, digest = reader.string(), reader.raw(32)
    reader.string()
    check(reader.u64() <= SEQUENCE_MAX, "removed mark: sequence")
    reader.i64(), reader.string()
    reader.finish()
    return manifest, digest


def read_session(body):
    reader = Reader(body, "session")
    session, stream = reader.raw(16), reader.string()
    reader.string(), reader.u64(), reader.i64(), reader.i64()
    reader.finish()
    return session, stream


def read_condemned(body):
    reader = Reader(body, "condemned packs")
    reader.i64()
    packs = [reader.raw(32) for _ in range(reader.count(32, "I", CONDEMNED_PACKS_MAX))]
    reader.finish()
    check(all(a < b for a, b in zip(packs, packs[1:])), "condemned packs: not sorted")
    return packs


def read_waits(body):
    """Uuid of the condemned record, and (session, tag, number, digest) of each session."""
    reader = Reader(body, "waits")
    record = reader.raw(16)
    reader.i64()
    sessions = []
    for _ in range(reader.count(68, "I", WAITING_SESSIONS_MAX)):
        sessions.append((reader.raw(16), reader.raw(16), reader.u32(), reader.raw(32)))
        check(sessions[-1][2] <= NUMBER_MAX, "waits: a number")
    reader.finish()
    keys = [session[:2] for session in sessions]
    check(all(a < b for a, b in zip(keys, keys[1:])), "waits: not sorted")
    return record, sessions


def read_retired(body):
    """Tag, stream, and (session, digest, sequence, time) of each entry."""
    reader = Reader(body, "retired")
    tag, stream = reader.raw(16), reader.string()
    entries = []
    for _ in range(reader.count(64, "I", RETIRED_ENTRIES_MAX)):
        session, digest, sequence, removed_ns = reader.raw(16), reader.raw(32), reader.u64(), reader.i64()
        check(sequence <= SEQUENCE_MAX, "retired: sequence")
        check(digest != bytes(32) or sequence == 0, "retired: a fence with a sequence")
        check(not entries or entries[-1][0] < session, "retired: not sorted")
        entries.append((session, digest, sequence, removed_ns))
    reader.finish()
    return tag, stream, entries


def read_hold(body):
    """Of an object under kept/ or holds/: name and identity of the manifest, time, time until, reason, overrides."""
    reader = Reader(body, "hold")
    manifest, digest, held_ns, until_ns = reader.string(), reader.raw(32), reader.i64(), reader.i64()
    reason = reader.string(4096)
    overrides = [reader.u32() for _ in range(reader.count(4, "I", HOLD_OVERRIDES_MAX))]
    reader.finish()
    check(all(a < b for a, b in zip(overrides, overrides[1:])), "hold: numbers are not sorted")
    check(all(number <= NUMBER_MAX for number in overrides), "hold: a number")
    return manifest, digest, held_ns, until_ns, reason, overrides


def read_damaged(data):
    """Pack, uuid of the mark, and [(offset, bytes)] of the damaged blocks; an empty list means the whole pack."""
    reader = Reader(without_digest(data, "damage mark", DOCUMENT_BYTES_MAX), "damage mark")
    check(reader.raw(6) == b"drsdmg", "damage mark: magic")
    check_known(reader.u8(), [1], "damage mark: version")
    check(reader.u8() == 0, "damage mark: a byte that is 0")
    pack, mark = reader.raw(32), reader.raw(16)
    reader.i64()
    check(max(len(reader.string()), len(reader.string())) <= 4096, "damage mark: a text is too long")
    blocks, end = [], 0
    for _ in range(reader.count(8, "H", 1024)):
        offset, count = reader.u32(), reader.u32()
        check(offset >= end and count > 0, "damage mark: blocks are out of order, overlap, or are empty")
        end = offset + count
        check(end <= 128 << 20, "damage mark: a block ends outside of any pack")
        blocks.append((offset, count))
    reader.finish()
    return pack, mark, blocks


# Packs, index objects, recipes, blocks.


@dataclass
class Block:
    id: tuple  # session, counter
    kind: int
    codec: int
    chunk_count: int
    offset: int
    sealed_bytes: int
    raw_bytes: int
    ordinal: int
    xxh3: bytes
    pack: str = ""
    chunks: list = field(default_factory=list)  # (id, bytes); empty if the list was not read


def read_record(reader, session, seals_end):
    """The fields of a block record from counter to xxh3."""
    counter = reader.u64()
    block = Block((session, counter), *(reader.number(form) for form in "BBHIIIQ"), reader.raw(16))
    check_known(block.kind, [1, 2], f"{reader.what}: kind of a block")
    if block.codec not in (RAW, ZSTD, LZ4):
        raise TooNew(f"{reader.what}: codec {block.codec}")
    check(1 <= block.raw_bytes <= BLOCK_BYTES_MAX, f"{reader.what}: length of a block")
    check((block.chunk_count > 0) == (block.kind == 1) and block.chunk_count <= block.raw_bytes,
          f"{reader.what}: count of chunks")
    whole = block.raw_bytes + TAG_BYTES
    right = block.sealed_bytes == whole if block.codec == RAW else TAG_BYTES < block.sealed_bytes < whole
    check(right, f"{reader.what}: sealed length of a block")
    check(ENVELOPE_BYTES <= block.offset and block.offset + block.sealed_bytes <= seals_end,
          f"{reader.what}: place of a block")
    return block


def read_chunks(reader, count, raw_bytes):
    check(count * 34 <= reader.left(), f"{reader.what} ends early")
    chunks = [(reader.raw(32), reader.u16()) for _ in range(count)]
    check(all(n > 0 for _, n in chunks) and sum(n for _, n in chunks) == raw_bytes,
          f"{reader.what}: lengths of chunks do not sum")
    return chunks


def read_chunk_list(plain, raw_bytes):
    reader = Reader(plain, "chunk list")
    chunks = read_chunks(reader, len(plain) // 34, raw_bytes)
    reader.finish()
    return chunks


def read_footer(last, object_bytes, what, bytes_min, bytes_max, sealed_min, sealed_max):
    """Ordinal and sealed length of the section before the last 12 bytes. The footer is not authenticated."""
    check(bytes_min <= object_bytes <= bytes_max, f"{what}: length {object_bytes}")
    reader = Reader(last, f"{what}: footer")
    ordinal, sealed_bytes = reader.u64(), reader.u32()
    reader.finish()
    check(sealed_min <= sealed_bytes <= min(object_bytes - (bytes_min - sealed_min), sealed_max), f"{what}: footer")
    return ordinal, sealed_bytes


def read_pack_footer(last, pack_bytes, chunk_bytes_min):
    """Checks that the table is not longer than the chunk parameters of the repository allow."""
    chunks = BLOCK_BYTES_MAX // chunk_bytes_min + 16
    table_max = TABLE_SEALED_BYTES_MIN + PACK_BLOCKS_MAX * (16 + RECORD_BYTES + chunks * 34)
    return read_footer(last, pack_bytes, "pack", PACK_BYTES_MIN, PACK_BYTES_MAX, TABLE_SEALED_BYTES_MIN, table_max)


def read_table(plain, table_at):
    reader = Reader(plain, "pack table")
    sessions = reader.sessions()
    blocks = []
    for _ in range(reader.count(RECORD_BYTES, "I", PACK_BLOCKS_MAX)):
        session = sessions.use(reader.u32())
        blocks.append(read_record(reader, session, table_at))
    sessions.finish()
    for block in blocks:
        if block.kind == 1:
            block.chunks = read_chunks(reader, block.chunk_count, block.raw_bytes)
    reader.finish()
    check(len({block.id for block in blocks}) == len(blocks), "pack table: a block is listed twice")
    check(len({block.ordinal for block in blocks}) == len(blocks), "pack table: an ordinal is used twice")
    placed = sorted(blocks, key=lambda block: block.offset)
    check(all(a.offset + a.sealed_bytes <= b.offset for a, b in zip(placed, placed[1:])), "pack table: blocks overlap")
    return blocks


@dataclass
class Summary:
    packs: list  # (digest, bytes, salt)
    sessions: list  # (uuid, lowest counter, highest, count of blocks)
    block_count: int
    chunk_count: int
    directory: tuple  # offset, sealed length
    hooks: tuple


def read_index_footer(last, object_bytes):
    bytes_min = ENVELOPE_BYTES + TAG_BYTES + HOOKS_SEALED_BYTES_MIN + SUMMARY_SEALED_BYTES_MIN + FOOTER_BYTES
    summary_max = SUMMARY_SEALED_BYTES_MIN + INDEX_BLOCKS_MAX * (72 + 36)
    ordinal, sealed = read_footer(
        last, object_bytes, "index", bytes_min, INDEX_BYTES_MAX, SUMMARY_SEALED_BYTES_MIN, summary_max
    )
    check(2 <= ordinal <= INDEX_BLOCKS_MAX + 2, "index: ordinal of the summary")
    return ordinal, sealed


def read_summary(plain, object_bytes):
    reader = Reader(plain, "index summary")
    reader.i64()
    packs = [(reader.raw(32), reader.u64(), reader.raw(32)) for _ in range(reader.count(72, "I", INDEX_BLOCKS_MAX))]
    check(len({digest for digest, _, _ in packs}) == len(packs), "index summary: a pack is listed twice")
    check(all(PACK_BYTES_MIN <= size <= PACK_BYTES_MAX for _, size, _ in packs), "index summary: length of a pack")
    sessions = [(reader.raw(16), reader.u64(), reader.u64(), reader.u32()) for _ in range(reader.count(36))]
    check(all(a[0] < b[0] for a, b in zip(sessions, sessions[1:])), "index summary: sessions are not sorted")
    check(all(low <= high and count > 0 for _, low, high, count in sessions), "index summary: counters of a session")
    out = Summary(packs, sessions, reader.u32(), reader.u64(), (reader.u64(), reader.u32()), (reader.u64(), reader.u32()))
    reader.finish()
    check(out.block_count <= INDEX_BLOCKS_MAX, "index summary: count of blocks")
    check(sum(count for _, _, _, count in sessions) == out.block_count, "index summary: sum of blocks")
    (directory_at, directory_bytes), (hooks_at, hooks_bytes) = out.directory, out.hooks
    check(directory_bytes == 64 * out.block_count + TAG_BYTES, "index summary: length of the directory")
    check(ENVELOPE_BYTES <= directory_at <= object_bytes and hooks_at == directory_at + directory_bytes,
          "index summary: place of a section")
    check(hooks_bytes >= HOOKS_SEALED_BYTES_MIN and (hooks_bytes - HOOKS_SEALED_BYTES_MIN) % 14 == 0,
          "index summary: length of the hooks")
    check(hooks_at + hooks_bytes + len(plain) + TAG_BYTES + FOOTER_BYTES == object_bytes, "index summary: its own place")
    return out


def read_directory(plain, summary):
    """The blocks in order, each with the index of its pack in the summary and the offset of its chunk list."""
    check(len(plain) == 64 * summary.block_count, "index directory: length")
    reader = Reader(plain, "index directory")
    entries, list_at, chunk_count, before, seen = [], ENVELOPE_BYTES, 0, None, []
    for _ in range(summary.block_count):
        session, pack = reader.u32(), reader.u32()
        check(session < len(summary.sessions) and pack < len(summary.packs), "index directory: a number")
        uuid = summary.sessions[session][0]
        block = read_record(reader, uuid, summary.packs[pack][1] - TABLE_SEALED_BYTES_MIN - FOOTER_BYTES)
        stated_list_at = reader.u64()
        check(stated_list_at == (list_at if block.chunk_count else 0), "index directory: place of a chunk list")
        if block.chunk_count:
            list_at += 34 * block.chunk_count + TAG_BYTES
            chunk_count += block.chunk_count
        order = *block.id, pack
        check(before is None or before < order, "index directory: not sorted")
        before = order
        entries.append((block, pack, stated_list_at))
        seen.append(block.id)
    for uuid, low, high, count in summary.sessions:
        counters = [counter for session, counter in seen if session == uuid]
        check(counters and (counters[0], counters[-1], len(counters)) == (low, high, count),
              "index directory: counters of a session")
    check(list_at == summary.directory[0] and chunk_count == summary.chunk_count, "index directory: chunk lists")
    return entries


def read_hooks(plain, summary):
    reader = Reader(plain, "index hooks")
    hooks = [(reader.u64(), reader.u32(), reader.u16()) for _ in range(reader.count(14, "I", summary.chunk_count))]
    reader.finish()
    check(all(word % 16 == 0 and block < summary.block_count for word, block, _ in hooks), "index hooks: no hook")
    check(all(a[1:] < b[1:] for a, b in zip(hooks, hooks[1:])), "index hooks: not sorted")
    return hooks


def read_recipe(plain):
    """Stream offset, stream bytes, and the runs: id of the block, first chunk, count of chunks, offset, bytes."""
    check(len(plain) <= BLOCK_BYTES_MAX, "recipe part: length")
    reader = Reader(plain, "recipe part")
    stream_offset, stream_bytes = reader.u64(), reader.u64()
    check(stream_offset + stream_bytes < 1 << 64, "recipe part: its end")
    sessions = reader.sessions()
    blocks = []
    for _ in range(reader.count(2)):
        number, counter = reader.varint(), reader.varint()
        blocks.append((sessions.use(number), counter))
    sessions.finish()
    check(len(set(blocks)) == len(blocks), "recipe part: a block is listed twice")
    runs = []
    for _ in range(reader.count(5)):
        block, first, count, begin, run_bytes = (reader.varint() for _ in range(5))
        check(block < len(blocks), "recipe part: block of a run")
        check(count > 0 and first + count <= 65535, "recipe part: chunks of a run")
        check(count <= run_bytes and begin + run_bytes <= BLOCK_BYTES_MAX, "recipe part: bytes of a run")
        check(first <= begin and (first > 0 or begin == 0), "recipe part: offset of a run")
        runs.append((blocks[block], first, count, begin, run_bytes))
    reader.finish()
    check(sum(run[4] for run in runs) == stream_bytes, "recipe part: runs do not sum")
    return stream_offset, stream_bytes, runs


def decompress(codec, packed, raw_bytes):
    if codec == RAW:
        plain = packed
    elif codec == ZSTD:
        plain = decompress_zstd(packed, raw_bytes)
    else:
        try:
            plain = lz4.block.decompress(packed, uncompressed_size=raw_bytes)
        except lz4.block.LZ4BlockError as problem:
            raise Damaged(f"a block does not decompress: {problem}") from None
    check(len(plain) == raw_bytes, "length of a block's plaintext")
    return plain


def decompress_zstd(packed, raw_bytes):
    """Decodes one frame that declares its length, with nothing after it."""
    check(packed[:4] == bytes.fromhex("28b52ffd"), "not a zstd frame")
    try:
        check(zstandard.frame_content_size(packed) == raw_bytes, "content size of a zstd frame")
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        plain = decompressor.decompress(packed)
        check(decompressor.eof and not decompressor.unused_data, "not exactly one zstd frame")
    except zstandard.ZstdError as problem:
        raise Damaged(f"a block does not decompress: {problem}") from None
    return plain


# A repository.


class Folder:
    """A store of objects in a folder. Any store with these two functions can replace it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def objects(self):
        """The size of each object, by name."""
        return {p.relative_to(self.path).as_posix(): p.stat().st_size for p in self.path.glob("**/*") if p.is_file()}

    def read_object(self, name, begin=0, end=None):
        """The object's bytes from `begin` up to `end`. Raises OSError."""
        with open(self.path / name, "rb") as file:
            file.seek(begin)
            return file.read() if end is None else file.read(end - begin)


class Repository:
    def __init__(self, store):
        self.store = store
        self.objects = store.objects()
        self.keys = self.config = None
        self.packs = {}  # name -> (bytes of the pack, Opener), after its digest was checked
        self.blocks = {}  # (session, counter) -> [Block]
        self.plain = {}  # a few decoded blocks

    def names(self, kind):
        return [name for name in sorted(self.objects) if kind_of_name(name) == kind]

    def get(self, name):
        return self.store.read_object(name)

    def unlock(self, secrets):
        """Uses the highest config, even if it is damaged or too new; never falls back to another."""
        configs = self.names("config")
        if not configs:
            raise LookupError("no repository here")
        name = configs[-1]
        data = self.get(name)
        _, repository, _ = take_document(CONFIG, name, data)
        master = self.master_key(repository, secrets)
        keys = Keys(master, repository)
        config = read_config(open_document(keys, CONFIG, name, data))
        check(config.repository == repository, f"{name}: repository id in its body differs from the one in clear")
        check(config.commitment == keys.sub(b"commit"), f"{name}: commitment of the master key")
        if config.encrypted and CLEAR in secrets:
            raise WrongKey(f"{name}: the repository is encrypted, but a slot holds its key in clear")
        self.keys, self.config = keys, config

    def master_key(self, repository, secrets):
        """The master key from the first slot that opens; damaged or newer slots are ignored then."""
        problems = []
        for name in self.names("slot"):
            try:
                data = self.get(name)
                slot = read_slot(data, name)
                check(name == f"keys/{data[-32:-16].hex()}", f"{name}: stands under another name")
                if slot.repository == repository and slot.kind in secrets:
                    return unlock_slot(slot, secrets[slot.kind], name)
            except (Damaged, TooNew) as problem:
                problems.append(problem)
            except WrongKey:
                continue
        if problems:
            raise next((problem for problem in problems if isinstance(problem, TooNew)), problems[0])
        raise WrongKey("no slot takes this key")

    def manifests(self):
        """The live manifests, oldest first."""
        removed = {self.removed_manifest(name) for name in self.names("removed")}
        for name in self.names("retired"):
            removed.update(self.retired_manifests(name))
        out = []
        for name in self.names("manifest"):
            if name not in removed and (manifest := read_manifest_object(self.keys, name, self.get(name))):
                out.append(manifest)
        return sorted(out, key=lambda m: (m.sequence, m.snapshot_ns, m.session))

    def removed_manifest(self, name):
        manifest, _ = read_removed(open_document(self.keys, REMOVED, name, self.get(name)))
        check(manifest.decode("latin-1") == "manifests/" + name.split("/")[1], f"{name}: names {manifest}")
        return manifest.decode()

    def retired_manifests(self, name):
        tag, stream, entries = read_retired(open_document(self.keys, RETIRED, name, self.get(name)))
        check(name.startswith(f"retired/{tag.hex()}-"), f"{name}: its tag")
        check(stream == b"" or self.keys.stream_tag(stream) == tag, f"{name}: its stream")
        return {f"manifests/{tag.hex()}-{session.hex()}" for session, *_ in entries}

    def pack(self, name):
        if name not in self.packs:
            data = self.get(name)
            check(sha256(data).hex() == name.split("/")[-1], f"{name}: bytes do not match the name")
            envelope = read_envelope(data, PACK, name)
            self.packs[name] = len(data), Opener(self.keys, envelope, name)
        return self.packs[name]

    def read_range(self, name, begin, end):
        return self.store.read_object(name, begin, end)

    def load_index(self, name):
        """The names of the packs that the index object covers, after adding their """
        data = self.get(name)
        check(sha256(data).hex() == name.split("/")[-1], f"{name}: bytes do not match the name")
        opener = Opener(self.keys, read_envelope(data, INDEX, name), name)
        ordinal, sealed_bytes = read_index_footer(data[-FOOTER_BYTES :], len(data))
        summary_at = len(data) - FOOTER_BYTES - sealed_bytes
        plain = opener.open(INDEX_SUMMARY, ordinal, data[summary_at : -FOOTER_BYTES])
        summary = read_summary(plain, len(data))
        count = summary.block_count
        check(ordinal == count + 2, f"{name}: ordinal of the summary")
        directory_at, hooks_at = summary.directory[0], summary.hooks[0]
        names = [f"packs/{digest.hex()[:2]}/{digest.hex()}" for digest, _, _ in summary.packs]
        present = [self.objects.get(n) == size for n, (_, size, _) in zip(names, summary.packs)]
        plain = opener.open(INDEX_DIRECTORY, count, data[directory_at:hooks_at])
        words = []
        for place, (block, pack, list_at) in enumerate(read_directory(plain, summary)):
            if block.chunk_count:
                end = list_at + 34 * block.chunk_count + TAG_BYTES
                listed = read_chunk_list(opener.open(CHUNK_LIST, place, data[list_at:end]), block.raw_bytes)
                words += [(struct.unpack("<Q", c[:8])[0], place, i) for i, (c, _) in enumerate(listed)]
            if present[pack]:
                self.add_block(block, names[pack])
        hooks = read_hooks(opener.open(INDEX_HOOKS, count + 1, data[hooks_at:summary_at]), summary)
        check(hooks == [w for w in words if w[0] % 16 == 0], f"{name}: hooks are not those of its chunks")
        return [n for n, there in zip(names, present) if there]

    def load_table(self, name):
        pack_bytes, opener = self.pack(name)
        last = self.read_range(name, pack_bytes - FOOTER_BYTES, pack_bytes)
        ordinal, sealed_bytes = read_pack_footer(last, pack_bytes, self.config.chunk_bytes_min)
        table_at = pack_bytes - FOOTER_BYTES - sealed_bytes
        sealed = self.read_range(name, table_at, pack_bytes - FOOTER_BYTES)
        table = read_table(opener.open(PACK_TABLE, ordinal, sealed), table_at)
        check(ordinal not in [block.ordinal for block in table], f"{name}: a block has the table's ordinal")
        for block in table:
            self.add_block(block, name)

    def add_block(self, block, pack):
        block.pack = pack
        self.blocks.setdefault(block.id, []).append(block)

    def load_blocks(self, from_packs):
        covered = set()
        if not from_packs:
            for name in self.names("index"):
                covered.update(self.load_index(name))
        for name in self.names("pack"):
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
        plain = decompress(block.codec, plain, block.raw_bytes)
        check(xxh3(plain) == block.xxh3, f"{block.pack}: plaintext of a block")
        at, chunk_id_key = 0, self.keys.sub(b"chunk-id")
        for chunk_id, count in block.chunks:
            check(hmac_sha256(chunk_id_key, plain[at : at + count]) == chunk_id, f"{block.pack}: id of a chunk")
            at += count
        return plain

    def runs(self, stream):
        """Yields the stream's runs in order: block id, first chunk, count of chunks, offset in the block, bytes."""
        for block_id, offset, count in stream.parts:
            part_offset, part_bytes, runs = read_recipe(self.read_block(block_id, 2))
            check((part_offset, part_bytes) == (offset, count), f"recipe part at {offset}: is for other bytes")
            yield from runs

    def restore(self, manifest, out):
        if manifest.content != 0:
            raise TooNew(f"snapshot of content {manifest.content}: not a stream of bytes")
        (stream,) = manifest.streams
        self.write_stream(stream, out)

    def write_stream(self, stream, out):
        whole, whole_xxh3, written = hashlib.sha256(), xxhash.xxh3_128(), 0
        for block_id, _, _, begin, run_bytes in self.runs(stream):
            plain = self.read_block(block_id, 1)
            check(begin + run_bytes <= len(plain), "a run lies outside its block")
            piece = plain[begin : begin + run_bytes]
            out.write(piece)
            whole.update(piece)
            whole_xxh3.update(piece)
            written += run_bytes
        value = whole_xxh3.intdigest()
        check(written == stream.count_bytes, f"restored {written} bytes, expected {stream.count_bytes}")
        check(stream.sha256 in (None, whole.digest()), "SHA-256 of the stream does not match")
        check(struct.pack("<QQ", value & (1 << 64) - 1, value >> 64) == stream.xxh3, "xxh3 of the stream does not match")


def secrets_from(environment):
    if "BACKUP_ENCRYPTION_KEY" in environment:
        text = environment["BACKUP_ENCRYPTION_KEY"].removesuffix("\n")
        if not re.fullmatch("[0-9a-fA-F]{64}", text):
            raise WrongKey("BACKUP_ENCRYPTION_KEY is not 64 hexadecimal digits")
        return {RAW_KEY: bytes.fromhex(text)}
    if "BACKUP_PASSPHRASE" in environment:
        return {PASSPHRASE: environment["BACKUP_PASSPHRASE"].encode()}
    return {CLEAR: b""}


def choose(manifests, snapshot, stream):
    if stream is not None:
        manifests = [m for m in manifests if m.stream == stream.encode()]
    if snapshot != "latest":
        manifests = [m for m in manifests if m.session.hex().startswith(snapshot)]
    streams = {m.stream for m in manifests}
    if not manifests:
        raise LookupError("no such snapshot")
    if len(streams) > 1 or (snapshot != "latest" and len(manifests) > 1):
        raise LookupError("several snapshots match: " + ", ".join(m.name for m in manifests))
    return manifests[-1]


def command_line(text):
    """A parser of the arguments that name a snapshot."""
    parser = argparse.ArgumentParser(description=text.split("\n")[0])
    parser.add_argument("repository")
    parser.add_argument("snapshot", help="session uuid, its beginning, or 'latest'")
    parser.add_argument("--stream")
    parser.add_argument("--from-packs", action="store_true", help="read no index, only the packs' tables")
    return parser


def open_snapshot(arguments, store):
    repository = Repository(store(arguments.repository))
    repository.unlock(secrets_from(os.environ))
    manifest = choose(repository.manifests(), arguments.snapshot, arguments.stream)
    repository.load_blocks(arguments.from_packs)
    return repository, manifest


def main(store=Folder):
    arguments = command_line(__doc__).parse_args()
    try:
        repository, manifest = open_snapshot(arguments, store)
        repository.restore(manifest, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except (Damaged, TooNew, WrongKey, LookupError, OSError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    print(f"{manifest.name}: {manifest.count_bytes} bytes, all checks passed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
