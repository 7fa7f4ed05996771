"""The archive with its own libraries, in a root that has none: nothing of the machine's is loaded, names and
certificates are found, children get the machine's environment, and it runs from any place."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from archive_tree import unpack
from services.certificates import make_certificates
from services.debian_root import in_root

DRSTREAM = "/opt/drstream/bin/drstream"
REPOSITORY = ["-r", "/tmp/repository", "--key-file", "/tmp/key", "--state-dir", "/tmp/state"]
# What the environment of a command must not gain, lose or have changed.
ENVIRONMENT = ["PATH=/bin", "LD_LIBRARY_PATH=/of/the/machine", "GREETING=hello"]


@pytest.fixture
def root(empty_root):
    (empty_root / "tmp/key").write_text(os.urandom(32).hex())
    (empty_root / "tmp/key").chmod(0o600)
    run(empty_root, "init")
    return empty_root


def run(root, *arguments, expect=0, program=DRSTREAM, options=REPOSITORY, environment=ENVIRONMENT, **how):
    words = in_root(root, "/bin/env", "-i", *environment, program, *options, *arguments, **how)
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stderr}"
    return done


def test_it_backs_up_restores_and_verifies_where_there_is_no_library(root):
    run(root, "push", "s", "--exec", "--", "/bin/cat", "/bin/busybox")
    with open(root / "bin/busybox", "rb") as file:
        words = in_root(root, DRSTREAM, *REPOSITORY, "pull", "s")
        assert subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout == file.read()
    run(root, "verify", "--read-data")
    run(root, "doctor")
    assert run(root, "--version", options=[]).stdout.startswith("drstream ")


def test_it_runs_where_proc_is_not_mounted(root):
    (root / "dev").mkdir(exist_ok=True)
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (root / "tmp/link").symlink_to(DRSTREAM)
    here = ["chroot", root, "/bin/env", "-i"]
    push = [DRSTREAM, *REPOSITORY, "push", "s", "--exec", "--", "/bin/cat", "/tmp/key"]
    for command in [push, ["/tmp/link", "version"]]:
        done = subprocess.run([*here, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def seen_by_child(root, script, stream="seen"):
    """What `script`, run by busybox's shell behind --exec, prints; $PPID is drstream."""
    run(root, "push", stream, "--exec", "--", "/bin/sh", "-c", script)
    return run(root, "pull", stream).stdout


def test_only_its_own_libraries_are_loaded(root):
    mapped = set(re.findall(r" (/\S+)$", seen_by_child(root, "cat /proc/$PPID/maps"), re.MULTILINE))
    programs = {name for name in mapped if not name.startswith("/dev/")}
    assert {"/opt/drstream/lib/drstream/libc.so.6", "/opt/drstream/lib/drstream/drstream"} <= programs
    assert [name for name in programs if not name.startswith("/opt/drstream/lib/drstream/")] == []


def test_a_child_gets_the_environment_as_it_was(root):
    seen = {
        line for line in seen_by_child(root, "env").splitlines() if not line.startswith(("PWD=", "SHLVL=", "OLDPWD="))
    }
    assert seen == set(ENVIRONMENT)


def test_the_process_is_called_drstream_has_no_executable_stack_and_leaves_no_core(root):
    assert seen_by_child(root, "cat /proc/$PPID/comm", "a") == "drstream\n"
    assert re.search(r"^\S+ rw-p .*\[stack\]$", seen_by_child(root, "cat /proc/$PPID/maps", "b"), re.MULTILINE)
    limits = seen_by_child(root, "ulimit -c unlimited; cat /proc/$PPID/limits", "c")
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_the_guardian_of_a_command_works_without_any_environment_and_shows_no_arguments(root):
    script = "for p in /proc/[0-9]*; do cat $p/comm; cat $p/cmdline | head -c 100; echo; done"
    run(root, "push", "guarded", "--exec", "--", "/bin/sh", "-c", script, environment=[])
    seen = run(root, "pull", "guarded").stdout.replace("\0", "").splitlines()
    assert seen[seen.index("drs-guardian") + 1] == "drs-guardian"


BUCKET = [
    "-r",
    "s3://bucket/prefix",
    "--region",
    "eu-west-1",
    "--no-cache",
    "--store-timeout",
    "2s",
    "--address-style",
    "path",
]
CREDENTIALS = ["AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"]


def ask_store(root, url, name="store.test", tls=None):
    """`drstream list` of a repository in a bucket at `url`, in a network of its own (name_server.py)."""
    command = in_root(
        root,
        "/bin/env",
        "-i",
        *CREDENTIALS,
        DRSTREAM,
        *BUCKET,
        "--endpoint-url",
        url,
        "--key-file",
        "/tmp/key",
        "--state-dir",
        "/tmp/state",
        "list",
    )
    words = ["unshare", "--net", sys.executable, Path(__file__).with_name("name_server.py"), name]
    words += [*(["--tls", *tls] if tls else []), "--", *command]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


NSSWITCH = [
    None,
    "hosts: files dns\n",
    "hosts: files mdns4_minimal [NOTFOUND=return] dns\n",
    "hosts: files resolve [!UNAVAIL=return] myhostname dns\npasswd: files sss systemd\n",
]


@pytest.mark.parametrize("nsswitch", NSSWITCH)
def test_names_are_found_in_hosts_and_in_dns(root, nsswitch):
    if nsswitch:
        (root / "etc/nsswitch.conf").write_text(nsswitch)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 listed.test\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    by_file = ask_store(root, "http://listed.test:9000")
    assert set(by_file["hosts"]) == {"listed.test:9000"}, by_file
    assert by_file["asked"] == []
    by_dns = ask_store(root, "http://store.test:9000")
    assert set(by_dns["hosts"]) == {"store.test:9000"}, by_dns
    assert by_dns["asked"] == ["store.test"]
    unknown = ask_store(root, "http://absent.test:9000")
    assert unknown["code"] == 6 and "absent.test" in unknown["err"], unknown


@pytest.mark.parametrize(
    "bundle",
    [
        "etc/ssl/certs/ca-certificates.crt",
        "etc/pki/tls/certs/ca-bundle.crt",
        "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "etc/ssl/ca-bundle.pem",
    ],
)
def test_certificates_are_found_where_each_distribution_keeps_them(root, tmp_path, bundle):
    made = make_certificates(tmp_path)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    server = {"url": "https://localhost:9000", "tls": [made.certificate_file, made.key_file]}
    without = ask_store(root, **server)
    assert without["code"] == 2 and "ca-certificates" in without["err"] and without["hosts"] == [], without
    (root / bundle).parent.mkdir(parents=True)
    (root / bundle).write_bytes(made.ca_file.read_bytes())
    assert set(ask_store(root, **server)["hosts"]) == {"localhost:9000"}
    (tmp_path / "other").mkdir()
    (root / bundle).write_bytes(make_certificates(tmp_path / "other").ca_file.read_bytes())
    foreign = ask_store(root, **server)
    assert foreign["code"] == 2 and foreign["hosts"] == [], foreign


def test_it_may_lie_anywhere_and_links_may_lead_to_it(archive, tmp_path):
    moved = tmp_path / "a folder with spaces"
    unpack(archive, tmp_path).rename(moved)
    (tmp_path / "first").symlink_to(moved / "bin/drstream")
    (tmp_path / "second").symlink_to("first")
    for command in (moved / "bin/drstream", tmp_path / "first", tmp_path / "second"):
        assert subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
            "drstream "
        )
    # Found by PATH, as a shell does.
    found = {**os.environ, "PATH": f"{moved}/bin"}
    assert subprocess.run(["drstream", "--version"], env=found, capture_output=True, check=True).stdout


@pytest.mark.parametrize("folder, why", [("a:b", "takes no path with"), ("a$ORIGIN", "takes no path with")])
def test_a_place_that_the_loader_cannot_take_is_refused(archive, tmp_path, folder, why):
    moved = tmp_path / folder
    unpack(archive, tmp_path).rename(moved)
    refused = subprocess.run([moved / "bin/drstream"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and why in refused.stderr


def test_a_launcher_without_its_libraries_says_so(archive, tmp_path):
    folder = unpack(archive, tmp_path)
    (folder / "lib").rename(folder / "elsewhere")
    refused = subprocess.run([folder / "bin/drstream"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "keep bin/ and lib/" in refused.stderr


def test_it_names_what_it_bundles_and_its_units_start_a_link_in_usr_local(archive, tmp_path):
    folder = unpack(archive, tmp_path)
    bundled = folder / "share/doc/drstream/bundled"
    listed = (bundled / "README.md").read_text()
    for file in (folder / "lib/drstream").glob("*.so*"):
        assert file.name in listed
    assert (bundled / "libc6.copyright").exists()
    assert "/usr/local/bin/drstream" in (folder / "lib/systemd/system/drstream-push@.service").read_text()
