"""Text that others choose - of stored objects, children, servers - does nothing to the terminal that shows it."""

import json
import os
import pty
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import black_box
import pytest
from repository import Repository, sample_bytes, sha256_hex

pytestmark = pytest.mark.local_only("what is shown is the same")

DATA = sample_bytes(100_000)
# Escape, a one-byte CSI, right-to-left override, a bell, a carriage return, bytes that are no UTF-8, and a line of its own.
HOSTILE = "x\x1b[2J\x1b]0;t\x07\u009b31m\u202e\r\nno damage found\n"
RAW = HOSTILE.encode() + b"\x9b\xff"


def assert_harmless(text, own_verdicts=0):
    for character in text.decode("utf-8"):  # and it is UTF-8
        code = ord(character)
        assert character in "\n\t" or not (code < 0x20 or 0x7F <= code < 0xA0), text
        assert code not in (0x200E, 0x200F, 0x061C) and not 0x2028 <= code <= 0x202E and not 0x2066 <= code <= 0x2069, text
    assert text.count(b"\nno damage found") <= own_verdicts, text


def run_harmless(drs, *arguments, **options):
    outcome = drs.run(*arguments, **{"expect": None, **options})
    assert_harmless(outcome.out, own_verdicts=1 if arguments[0] in ("verify", "scrub", "sweep") else 0)
    assert_harmless(outcome.err.encode())
    return outcome


def test_what_a_snapshot_records_is_shown_escaped_and_is_json_unchanged(drs):
    script = b"printf '" + b"".join(b"\\%03o" % byte for byte in RAW) + b"' >&2; echo data; : \x1b[31m"
    drs.run("push", "s", "--exec", "--", "sh", "-c", os.fsdecode(script))
    for command in (["list"], ["show", "s"], ["stats"], ["verify"], ["show", "s", "--json"], ["list", "--json"]):
        run_harmless(drs, *command, expect=0)
    assert "\\u001b[2J" in json.dumps(drs.json("show", "s"))


def test_what_a_failing_producer_says_is_escaped_in_the_message(drs):
    script = "printf 'bad\\033[2J\\nno damage found\\n' >&2; exit 3"
    outcome = drs.run("push", "s", "--exec", "--", "sh", "-c", script, expect=3)
    message = outcome.err[outcome.err.index("error:") :]
    assert_harmless(message.encode())
    assert "\\x1b[2J" in message


def said_on_a_terminal(drs, *arguments):
    """What a terminal gets of the command's stderr."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([drs.binary, *map(str, arguments)], env=drs.environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=end)  # fmt: skip
    os.close(end)
    said = b""
    try:
        while piece := os.read(terminal, 4096):
            said += piece
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert process.wait(60) == 0, said
    return said.replace(b"\r\n", b"\n")


def test_what_a_producer_or_consumer_says_does_nothing_to_a_terminal_and_is_a_files_byte_for_byte(drs):
    said = b"10 %\r20 %\n\tgr\xc3\xbcn \x1b[2J\x9b31m\n"
    shown = "10 %\r20 %\n\tgrün \\x1b[2J\\x9b31m\n".encode()
    speak = "printf '" + "".join(f"\\{byte:03o}" for byte in said) + "' >&2; "
    producer = ["push", "s", "-q", "--exec", "--", "sh", "-c", speak + "echo data"]
    consumer = ["pull", "s", "-q", "--exec", "--", "sh", "-c", speak + "cat >/dev/null"]
    for command in (producer, consumer):
        assert shown in said_on_a_terminal(drs, *command)
        outcome = subprocess.run([drs.binary, *command], env=drs.environment(), capture_output=True, check=True)
        assert said in outcome.stderr


def forge_mark(drs, pack, text):
    """Without any key: what anyone can write who can write into the store."""
    digest, mark = bytes.fromhex(pack.rpartition("/")[2]), os.urandom(16)
    text = struct.pack("<H", len(text)) + text
    data = b"drsdmg\x01\x00" + digest + mark + struct.pack("<q", time.time_ns()) + text + text + bytes(2)
    drs.write_object(f"damaged/{digest.hex()}-{mark.hex()}", data + bytes.fromhex(sha256_hex(data)))


def test_a_forged_mark_is_looked_into_and_proves_nothing(drs, new_repository):
    drs.push("s", DATA)
    pack = drs.largest_pack()
    forge_mark(drs, pack, RAW)
    assert run_harmless(drs, "verify", "--read-only", expect=0).out.count(b"no damage found") == 1
    run_harmless(drs, "scrub", expect=0)
    assert drs.names("damaged") != []  # a scrub cannot know what verify saw
    again = run_harmless(drs, "verify", expect=0)
    assert b"took back the damage marks of 1 pack," in again.out
    assert drs.names("damaged") == []


def test_a_forged_mark_does_not_hold_up_a_copy_into_a_replica(drs, new_repository):
    drs.push("s", DATA)
    replica = new_repository("replica")
    replica.key = drs.key
    replica.run("init", "--replica-of", drs.path)
    replica.run("copy", "--from-repository", drs.path)
    drs.push("s", DATA + b"more")
    forge_mark(replica, replica.largest_pack(), RAW)
    run_harmless(replica, "copy", "--from-repository", drs.path, expect=0)
    assert replica.pull("s") == DATA + b"more"


def forge_record(drs, text):
    """With the key: the record of a sweep that has proven nothing, on a host with this name."""
    opened = black_box.reader.Repository(black_box.reader.Folder(str(drs.path)))
    opened.unlock({black_box.reader.RAW_KEY: bytes.fromhex(drs.key)})
    name = f"verified/{os.urandom(16).hex()}"
    text = struct.pack("<H", len(text)) + text
    body = b"\0" + struct.pack("<qqB", time.time_ns(), 0, 0) + text + text + bytes(16)
    drs.write_object(name, black_box.seal_document(opened.keys, black_box.reader.VERIFIED, name, body))
    return name


def test_the_host_in_a_record_of_a_sweep_is_harmless(drs):
    drs.push("s", DATA)
    forge_record(drs, RAW)
    for command in (["sweep"], ["sweep", "--json", "--verified-within", "0s"], ["status"], ["status", "--json"],
                    ["status", "--format", "nagios"], ["prune"]):  # fmt: skip
        run_harmless(drs, *command, expect=0)
    # A name of more than 255 bytes is no host; the warning has none of it.
    name = forge_record(drs, RAW * 10)
    outcome = run_harmless(drs, "verify", "--read-only", expect=0)
    assert f"{name}: ".encode() in outcome.out and b"at most 255" in outcome.out


def test_a_mark_makes_a_push_store_anew(drs):
    drs.push("s", DATA)
    forge_mark(drs, drs.largest_pack(), b"x")
    assert drs.push("t", DATA)["new_bytes"] > 0


class HostileServer(BaseHTTPRequestHandler):
    def answer(self):
        body = ("<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>&#27;[2J&#x9b;31m&#x202e;&#13;&#10;"
                "no damage found&#10;</Message></Error>").encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = answer

    def log_message(self, *_):
        pass


def test_what_a_server_answers_is_escaped(binary, new_folder):
    server = HTTPServer(("127.0.0.1", 0), HostileServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    drs = Repository(binary, new_folder("far"))
    drs.variables = {
        "DRSTREAM_REPOSITORY": "s3://bucket/prefix",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
    }
    try:
        outcome = run_harmless(drs, "list", "--store-timeout", "5s")
        assert outcome.code != 0
        assert "[2J" in outcome.err
        assert_harmless(json.dumps(json.loads(run_harmless(drs, "list", "--json", "--store-timeout", "5s").out)).encode())
    finally:
        server.shutdown()
