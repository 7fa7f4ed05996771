"""A real PostgreSQL: its dump goes in, changes, goes in again, and comes out in a second database."""

import pytest
from postgres_server import running_postgres

ROWS = 40_000


@pytest.fixture(scope="module")
def server(missing):
    with running_postgres(missing) as server:
        server.shell(f"scratch_postgres_fill app {ROWS}")
        yield server


def test_a_dump_goes_in_changes_and_comes_out_in_a_second_database(server, drs):
    dump = ["--exec", "--", "pg_dump", "-Fc", "-Z0", "app"]
    first = drs.json("push", "pg/app", *dump, env=server.variables)
    server.shell("scratch_postgres_churn app 1000")
    second = drs.json("push", "pg/app", *dump, env=server.variables)
    assert first["stored_bytes"] < first["bytes"] / 2
    # Of a dump of 300 MB 15 % is promised; this one is small.
    assert second["stored_bytes"] <= 0.4 * first["stored_bytes"]
    drs.run("verify", "--read-data", "--expect-head", "pg/app")

    server.shell("createdb restored")
    drs.run("pull", "pg/app", "--exec", "--", "pg_restore", "-d", "restored", env=server.variables)
    expected = server.shell("scratch_postgres_checksums app")
    assert server.shell("scratch_postgres_checksums restored") == expected
    assert expected.startswith("customers|")

    server.shell("createdb yesterday")
    oldest = drs.snapshots()[0]["id"]
    drs.run("pull", oldest, "--exec", "--", "pg_restore", "-d", "yesterday", env=server.variables)
    assert server.shell("scratch_postgres_checksums yesterday") != expected


def test_a_plain_dump_through_a_pipe_is_held_to_its_trailer(server, drs):
    gate = ["--require-trailer", "PostgreSQL database dump complete"]
    dump = server.shell("pg_dump -Fp app").encode()
    pushed = drs.push("pg/plain", dump, *gate)
    assert pushed["producer"]["seen"] is False
    drs.run("push", "pg/plain", *gate, input=dump[: len(dump) // 2], expect=15)
    assert [snapshot["sequence"] for snapshot in drs.snapshots()] == [1]


def test_a_database_that_does_not_exist_is_a_source_that_failed(server, drs):
    outcome = drs.run("push", "s", "--exec", "--", "pg_dump", "nowhere", env=server.variables, expect=3)
    assert 'database "nowhere" does not exist' in outcome.err
    assert drs.snapshots() == []


def test_a_backend_that_is_terminated_in_mid_dump_leaves_no_snapshot(server, drs, tmp_path):
    # The dump is held at 1 MB, until its backend is gone.
    script = (
        "set -o pipefail; pg_dump -Fc -Z0 app | "
        f"{{ head -c 1000000; touch {tmp_path}/held; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; cat; }}"
    )
    process = drs.start("push", "s", "--exec", "--", "bash", "-c", script, env=server.variables)
    server.shell(f"for ((i = 0; i < 600; ++i)); do [[ -e {tmp_path}/held ]] && break; sleep 0.1; done")
    ended = server.query("app", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                "WHERE application_name = 'pg_dump'")  # fmt: skip
    assert ended == "1"
    (tmp_path / "go").touch()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err.decode()
    assert b"pg_dump: error" in err
    assert drs.snapshots() == []


def test_a_restore_that_the_database_refuses_is_incomplete(server, drs):
    drs.json("push", "pg/app", "--exec", "--", "pg_dump", "-Fc", "-Z0", "app", env=server.variables)
    outcome = drs.run(
        "pull", "pg/app", "--exec", "--", "pg_restore", "-d", "nowhere", env=server.variables, expect=8
    )
    assert "nowhere" in outcome.err
