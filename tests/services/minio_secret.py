"""Seals secrets for MinIO's admin API, with a key derived from the caller's own secret (madmin-go, encrypt.go)."""

import hashlib
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PBKDF2_AESGCM = b"\x02"
PBKDF2_ROUNDS = 8192
FRAGMENT_BYTES_MAX = 1 << 14  # per fragment of a stream; our streams have one


def seal(password, data):
    """Returns salt (32), kind (1), nonce (8), one sealed fragment."""
    assert len(data) < FRAGMENT_BYTES_MAX
    salt, nonce = os.urandom(32), os.urandom(8)
    cipher = AESGCM(hashlib.pbkdf2_hmac("sha256", password.encode(), salt, PBKDF2_ROUNDS, 32))
    tag = cipher.encrypt(nonce + (0).to_bytes(4, "little"), b"", b"")
    last = cipher.encrypt(nonce + (1).to_bytes(4, "little"), data, b"\x80" + tag)
    return salt + PBKDF2_AESGCM + nonce + last
