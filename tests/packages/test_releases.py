"""The archive in other releases than the one it was built on, older and newer, beside their own PostgreSQL."""

import os
import re

import pytest
from archive_tree import unpack

pytestmark = pytest.mark.campaign

REPOSITORY = "DRSTREAM_REPOSITORY=/tmp/repository DRSTREAM_KEY_FILE=/tmp/key DRSTREAM_STATE_DIR=/tmp/state"
# A server of the release's own, as its user, and a dump of it there and back. `maps` is what pg_dump has loaded.
SCRIPT = r"""
set -eu
export HOME=/tmp PATH=$(echo /usr/lib/postgresql/*/bin):$PATH PGHOST=/tmp
initdb -D /tmp/db -A trust >/tmp/initdb.log
pg_ctl -D /tmp/db -o "-k /tmp -c listen_addresses=" -w -l /tmp/server.log start >/dev/null
trap 'pg_ctl -D /tmp/db -m immediate stop >/dev/null' EXIT
createdb app
psql -q app -c "create table t as select i, md5(i::text) as word from generate_series(1, 100000) i"
drstream init >/dev/null
drstream push pg/app --exec -- pg_dump -w -Fc -Z0 app
drstream push maps --exec -- sh -c 'pg_dump --version; (pg_dump -f /dev/null app; cat /proc/self/maps)'
drstream verify --read-data
createdb copy
drstream pull pg/app --exec -- pg_restore -w -d copy
psql -qAt copy -c "select count(*), md5(string_agg(word, '' order by i)) from t"
psql -qAt app -c "select count(*), md5(string_agg(word, '' order by i)) from t"
drstream pull maps 2>/dev/null
"""


@pytest.mark.parametrize("release, version", [("bullseye", "13"), ("trixie", "17")])
def test_it_backs_up_postgresql_of_the_release(new_root, archive, release, version):
    root = new_root(f"{release}-postgresql")
    unpack(archive, root.path / "opt").rename(root.path / "opt/drstream")
    (root.path / "usr/local/bin/drstream").symlink_to("/opt/drstream/bin/drstream")
    key = root.path / "tmp/key"
    key.write_text(os.urandom(32).hex())
    owner = next(
        line.split(":") for line in (root.path / "etc/passwd").read_text().splitlines() if line.startswith("postgres:")
    )
    os.chown(key, int(owner[2]), int(owner[3]))
    key.chmod(0o400)
    settings = dict(word.split("=", 1) for word in REPOSITORY.split())
    done = root.run(
        "setpriv", f"--reuid={owner[2]}", f"--regid={owner[3]}", "--clear-groups", "bash", "-c", SCRIPT, env=settings
    )
    print(done.stdout)
    answers = re.findall(r"^100000\|\w{32}$", done.stdout, re.MULTILINE)
    assert len(answers) == 2 and answers[0] == answers[1]
    assert f"pg_dump (PostgreSQL) {version}." in done.stdout
    # What drstream started maps the release's own libraries.
    assert "/opt/drstream" not in done.stdout and "libc" in done.stdout


NSSWITCH = "hosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] myhostname dns\n"


def test_name_services_of_another_libc_are_used_or_passed_over(new_root, archive):
    root = new_root("trixie-postgresql")
    unpack(archive, root.path / "opt").rename(root.path / "opt/drstream")
    (root.path / "etc/nsswitch.conf").write_text(NSSWITCH)
    (root.path / "etc/hosts").write_text("127.0.0.1 listed.test\n")
    (root.path / "tmp/key").write_text(os.urandom(32).hex())
    (root.path / "tmp/key").chmod(0o600)
    for host, said in [("listed.test", "connect"), ("absent.test", "resolve")]:
        failed = root.run(
            "strace",
            "-f",
            "-o",
            "/tmp/trace",
            "-e",
            "trace=openat",
            "/opt/drstream/bin/drstream",
            "-r",
            "s3://bucket/p",
            "--endpoint-url",
            f"http://{host}:9",
            "--store-timeout",
            "2s",
            "--key-file",
            "/tmp/key",
            "list",
            expect=6,
            env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        )
        assert said in failed.stderr.lower(), failed.stderr
    opened = set(re.findall(r'"(/[^"]*\.so[^"]*)".* = \d', (root.path / "tmp/trace").read_text()))
    print("\n".join(sorted(name for name in opened if not name.startswith("/opt/drstream"))))
