"""The Debian package on a bare Debian 12: installed by apt, used, removed and purged."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from services import debian_root

KEY = os.urandom(32).hex()
REPOSITORY = ["-r", "/srv/repository", "--key-file", "/srv/key", "--state-dir", "/srv/state"]
# What apt and dpkg keep of any package that ever was there.
KEPT_BY_APT = re.compile(
    r"/(var/(lib/(apt|dpkg|systemd)|cache/(apt|debconf|ldconfig)|log)|tmp|dev|proc|root|srv)(/|$)|"
    r"/etc/(ld\.so\.cache|ssl)|/usr/(share/ca-certificates|local/share)(/|$)"
)


def install(root, deb):
    archives = [(debian_root.archives_folder(), debian_root.ARCHIVES)]
    (root.path / "tmp/drstream.deb").write_bytes(deb.read_bytes())
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "/tmp/drstream.deb"]
    try:
        root.run(*command, mounts=archives)
    except AssertionError:  # the root's lists are of the day it was made
        root.run("apt-get", "update", "-q")
        root.run(*command, mounts=archives)


def files_of(root):
    """All files and folders but those of apt itself."""
    names = ("/" + str(path.relative_to(root.path)) for path in root.path.rglob("*"))
    return {name for name in names if not KEPT_BY_APT.match(name)}


def try_backup(root):
    (root.path / "srv/key").write_text(KEY)
    (root.path / "srv/key").chmod(0o600)
    root.run("drstream", *REPOSITORY, "init")
    root.run("drstream", *REPOSITORY, "push", "s", "--exec", "--", "cat", "/etc/os-release")
    restored = root.run("drstream", *REPOSITORY, "pull", "s").stdout
    assert restored == (root.path / "etc/os-release").read_text()
    root.run("drstream", *REPOSITORY, "verify", "--read-data")


def test_it_is_installed_used_and_purged_without_a_trace(new_root, deb):
    root = new_root("bookworm")
    before = files_of(root)
    install(root, deb)
    try_backup(root)
    root.run("drstream", "doctor")
    completes = root.run("bash", "-c", ". /usr/share/bash-completion/completions/drstream; complete -p drstream")
    assert "drstream" in completes.stdout
    page = subprocess.run(
        ["man", "-M", root.path / "usr/share/man", "drstream-push"], capture_output=True, text=True, check=True
    )
    assert "--exec" in page.stdout
    # Nothing is enabled, and nothing of the administrator's is made.
    assert not (root.path / "etc/drstream").exists()
    assert list((root.path / "etc").rglob("*drstream*")) == []

    root.run("apt-get", "purge", "-q", "-y", "--auto-remove", "drstream")
    assert sorted(files_of(root) - before) == []


TIMERS = sorted((Path(__file__).resolve().parents[2] / "packaging/systemd").glob("*.timer"))


def test_purging_takes_what_the_units_keep_and_leaves_what_backups_need(new_root, deb):
    root = new_root("bookworm")
    (root.path / "tmp/drstream.deb").write_bytes(deb.read_bytes())
    root.run("dpkg", "--force-depends", "--install", "/tmp/drstream.deb")
    kept = ["etc/drstream/app.key", "etc/drstream/config.toml", "var/lib/drstream/heads", "var/backups/drs/config/1"]
    units = [
        *(f"etc/systemd/system/timers.target.wants/{path.stem}app.timer" for path in TIMERS),
        "var/lib/private/drstream-jobs/app/heads",
        "var/lib/drstream-jobs/app",
        "var/cache/drstream-jobs/app/x",
        "var/cache/private/drstream-jobs/app/y",
    ]
    for name in kept + units:
        (root.path / name).parent.mkdir(parents=True, exist_ok=True)
        (root.path / name).write_text("")
    root.run("dpkg", "--remove", "drstream")
    assert all((root.path / name).exists() for name in kept + units)
    root.run("dpkg", "--purge", "drstream")
    assert all((root.path / name).exists() for name in kept)
    assert [name for name in units if (root.path / name).exists()] == []


@pytest.fixture(scope="module")
def unpacked(deb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--extract", deb, folder], check=True)
    return folder


UNITS = sorted(path.name for path in (Path(__file__).resolve().parents[2] / "packaging/systemd").iterdir())


def test_its_units_are_sound_and_hardened(unpacked, tmp_path):
    installed = unpacked / "usr/lib/systemd/system"
    assert sorted(path.name for path in installed.iterdir()) == UNITS
    assert {"drstream-nightly@.service", "drstream-nightly@.timer", "drstream-push@.service"} <= set(UNITS)
    for name in UNITS:  # systemd-analyze looks for the program and the pages that they name
        text = (installed / name).read_text().replace("/usr/bin/drstream", str(unpacked / "usr/bin/drstream"))
        (tmp_path / name).write_text(text)
    for name in UNITS:
        checked = subprocess.run(
            ["systemd-analyze", "--man=no", "verify", tmp_path / name], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    for name in [unit for unit in UNITS if unit.endswith(".service")]:
        rating = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=20", tmp_path / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert rating.returncode == 0, rating.stdout


def test_its_scripts_pass_over_a_machine_without_systemd(unpacked, deb, tmp_path):
    subprocess.run(["dpkg-deb", "--control", deb, tmp_path], check=True)
    for name in ["postinst", "prerm", "postrm"]:
        script = tmp_path / name
        assert os.access(script, os.X_OK)
        assert Path(script).read_text().startswith("#!/bin/sh\n")
