"""The Debian package that CPack builds from the release holds what a user needs and names the libraries it needs."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release"))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if not (BUILD / "tools/drstream").exists():
        pytest.skip("no release is built: scripts/build release")
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(
        ["cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (file,) = folder.glob("*.deb")
    return file


def dpkg_deb(*arguments):
    return subprocess.run(["dpkg-deb", *arguments], check=True, capture_output=True, text=True).stdout


def test_it_depends_on_the_libraries_the_command_links(package):
    depends = dpkg_deb("--field", package, "Depends")
    for library in ["libc6", "liburing2", "libzstd1", "liblz4-1", "libssl3", "libxxhash0"]:
        assert library in depends, depends


def test_it_holds_the_command_its_manual_and_nothing_outside_usr(package):
    files = [line.split()[5] for line in dpkg_deb("--contents", package).splitlines()]
    assert "./usr/bin/drstream" in files
    documents = ["README.md", "kubernetes/nightly.yaml", "monitoring/drstream.rules.yml"]
    assert {f"./usr/share/doc/drstream/{name}" for name in documents} <= set(files)
    assert any(name.startswith("./usr/share/man/man1/drstream") for name in files)
    assert all(name == "./" or name.startswith("./usr/") for name in files)


def test_it_holds_the_pages_that_its_units_name(package, tmp_path):
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    units = sorted((tmp_path / "usr/lib/systemd/system").iterdir())
    named = {word for unit in units for line in unit.read_text().splitlines() if line.startswith("Documentation=")
             for word in line.removeprefix("Documentation=").split()}  # fmt: skip
    manuals = {word.removeprefix("man:").removesuffix("(1)") for word in named if word.startswith("man:")}
    pages = {word.removeprefix("file://") for word in named if word.startswith("file://")}
    assert manuals and all((tmp_path / f"usr/share/man/man1/{name}.1").exists() for name in manuals)
    assert pages and all((tmp_path / page[1:]).exists() for page in pages)


def test_the_packaged_command_runs_and_is_hardened(package, tmp_path):
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    command = tmp_path / "usr/bin/drstream"
    subprocess.run([command, "--version"], check=True, stdout=subprocess.DEVNULL)
    headers = subprocess.run(["readelf", "-hldW", command], check=True, capture_output=True, text=True).stdout
    assert "DYN (Position-Independent Executable file)" in headers
    assert "GNU_RELRO" in headers and "BIND_NOW" in headers
    (stack,) = [line for line in headers.splitlines() if "GNU_STACK" in line]
    assert "RWE" not in stack
