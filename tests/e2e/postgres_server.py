"""A scratch PostgreSQL, with the functions of scripts/scratch-postgres.bash."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


ROOT = Path(__file__).resolve().parents[2]
INITDB = Path("/usr/lib/postgresql/15/bin/initdb")


class PostgresServer:
    """One in `folder`, reached by a socket in it, as its owner. With a port also on localhost, by password."""

    def __init__(self, folder, port=None):
        self.folder = folder
        self.variables = {"PGHOST": f"{folder}/socket", "PGPORT": str(port or 5432), "PGUSER": "postgres"}
        options = f"-c port={port} -c listen_addresses=localhost" if port else ""
        self.shell(f"scratch_postgres_start {folder} '{options}'", log=folder.parent / "start.log")

    def shell(self, script, log=None):
        prelude = f"set -euo pipefail; . scripts/scratch-postgres.bash; scratch_postgres_directory={self.folder}; "
        output = open(log, "wb") if log else subprocess.PIPE  # the server keeps what it was started with
        done = subprocess.run(
            ["bash", "-c", prelude + script],
            cwd=ROOT,
            env={**os.environ, **self.variables},
            stdout=output,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, (script, done.stderr or Path(log).read_text())
        return (done.stdout or b"").decode()

    def query(self, database, sql):
        return self.shell(f"psql -At -v ON_ERROR_STOP=1 -d {database} -c \"{sql}\"").strip()

    def require_passwords(self):
        """Of everyone who comes by TCP."""
        lines = "local all all trust\nlocal replication all trust\nhost all all localhost scram-sha-256\n"
        (self.folder / "data/pg_hba.conf").write_text(lines)
        self.query("postgres", "SELECT pg_reload_conf()")

    def reset(self, template):
        """Leaves `template` and a database app that equals it, and no role of a test."""
        names = self.query("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate")
        for name in sorted(set(names.split()) - {"postgres", template}):
            self.shell(f"dropdb --force {name}")
        self.shell(f"dropuser --if-exists backup; createdb --template {template} app")


@contextmanager
def running_postgres(missing, port=None):
    if not INITDB.exists():
        missing("PostgreSQL 15 is not installed")
    folder = Path(tempfile.mkdtemp(prefix="drstream-e2e-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "cluster", port)
    try:
        yield server
    finally:
        server.shell("scratch_postgres_stop")
        shutil.rmtree(folder, ignore_errors=True)
