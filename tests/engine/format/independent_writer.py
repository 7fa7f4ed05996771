"""Rewrites objects of a repository with changes: correctly sealed, digested and named, with any version or flag that a
test asks for. Written from docs/FORMAT.md alone, like independent_reader.py, whose keys it uses."""

import os
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import independent_reader as form  # noqa: E402


def head(kind, version=1, suite=1, key_method=0, flags=0):
    return b"drstrm" + bytes([kind, version, suite, key_method]) + struct.pack("<H", flags)


def envelope(keys, kind, key_class=None, key_blob=b"", **fields):
    """The bytes of an envelope, and the form.Envelope that opens objects sealed with it."""
    salt = os.urandom(32)
    _, commitment = keys.of_object(key_class or form.ENVELOPE_CLASS[kind], head(kind, **fields), salt)
    data = head(kind, **fields) + salt + commitment + struct.pack("<H", len(key_blob)) + key_blob
    return data, form.Envelope(kind, head(kind, **fields), salt, commitment)


def seal(opener, seal_kind, ordinal, plain, codec=form.RAW, plain_bytes=None):
    cipher = opener.data if seal_kind == form.DATA_BLOCK else opener.main
    plain_bytes = len(plain) if plain_bytes is None else plain_bytes
    return cipher.encrypt(form.nonce(ordinal), plain, opener.additional(seal_kind, ordinal, plain_bytes, codec))


def digested(data):
    return data + form.sha256(data)


def document(keys, kind, name, body, signature=b"", **fields):
    """The complete object. A `kind` without a key class of its own uses that of manifests."""
    key_class = form.ENVELOPE_CLASS.get(kind, b"manifest")
    data, made = envelope(keys, kind, key_class, **fields)
    key, _ = keys.of_object(key_class, made.head, made.salt)
    additional = (keys.repository + bytes([kind, form.DOCUMENT, 0, 0]) + made.salt
                  + struct.pack("<QQH", 0, len(body), len(name)) + name.encode())  # fmt: skip
    sealed = AESGCM(key).encrypt(form.nonce(0), body, additional)
    data += keys.repository + struct.pack("<I", len(sealed)) + sealed
    return digested(data + struct.pack("<H", len(signature)) + signature)


def with_bytes(data, at, value):
    return data[:at] + value + data[at + len(value) :]


def changed_slot(keys, data, at, value):
    """A slot with different bytes at `at`, and a matching MAC and digest."""
    before_mac = with_bytes(data[:-64], at, value)
    return digested(before_mac + form.hmac_sha256(keys.sub(b"slot-mac"), before_mac))


def slot_name(data):
    return f"keys/{data[-32:-16].hex()}"


def changed_pack_table(keys, data, change):
    """A pack whose table is replaced by `change(table)`."""
    opener = form.Opener(keys, form.read_envelope(data, form.PACK, "pack"), "pack")
    ordinal, sealed_bytes = form.read_pack_footer(data[-form.FOOTER_BYTES :], len(data), 64)
    table_at = len(data) - form.FOOTER_BYTES - sealed_bytes
    table = change(opener.open(form.PACK_TABLE, ordinal, data[table_at : -form.FOOTER_BYTES]))
    sealed = seal(opener, form.PACK_TABLE, ordinal + 1000, table)
    return data[:table_at] + sealed + struct.pack("<QI", ordinal + 1000, len(sealed))


def pack_name(data):
    digest = form.sha256(data).hex()
    return f"packs/{digest[:2]}/{digest}"
