"""Every block of README.md and docs/ that shows commands is run, or parsed where its page says why it cannot be run.

The pages run against a real PostgreSQL, MinIO over HTTPS and fake-gcs-server; document_sandbox.py says how.
"""

import re
import shutil
import subprocess

import pytest
from document_blocks import BadPage, blocks_of, code_spans, pages
from document_sandbox import PARSED, Sandbox
from postgres_server import running_postgres
from services.server_process import free_port

ROWS = 3_000
TEMPLATE = "example"

# Options of other programs that pages name in their prose.
FOREIGN_OPTIONS = {
    "--build-only",  # scripts/install-packages
    "--seed",  # scripts/campaign
    "--no-role-passwords",  # pg_dumpall
    "--single-transaction",  # pg_restore
    "--sort",  # tar
    "--target",  # pgbackrest
    "--type",
}


@pytest.fixture(scope="module")
def postgres(missing):
    with running_postgres(missing, free_port()) as server:
        server.shell(f"scratch_postgres_fill {TEMPLATE} {ROWS}")
        server.require_passwords()
        yield server


@pytest.fixture
def new_sandbox(request, binary, tmp_path):
    """new_sandbox(text): a Sandbox with the services that the text of a page names."""

    def make(text):
        variables, services = {}, {}
        if re.search(r"\b(pg_\w+|psql|createdb|set_up)\b", text):
            postgres = request.getfixturevalue("postgres")
            postgres.reset(TEMPLATE)
            variables |= postgres.variables
        if "s3://" in text:
            minio = request.getfixturevalue("minio_tls")
            services["https://minio.example:9000"] = minio.endpoint
            for bucket in ("acme-backups", "acme-minio", "offsite/backups"):
                services[bucket] = minio.new_bucket(object_lock=True)
            variables |= {"AWS_ENDPOINT_URL_S3": minio.endpoint, "AWS_CA_BUNDLE": str(minio.ca_file),
                          "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
        if "gs://" in text:
            gcs = request.getfixturevalue("fake_gcs")
            services["acme-archive"] = gcs.new_bucket()
            variables["STORAGE_EMULATOR_HOST"] = gcs.endpoint
        sandbox = Sandbox(binary, tmp_path / "sandbox", services, variables)
        if "s3://" in text:
            shutil.copy(minio.ca_file, sandbox.folder / "etc/drstream/minio-ca.pem")
            write_credentials(sandbox, minio)
        return sandbox

    return make


def write_credentials(sandbox, minio):
    """In the profiles that pages name: the owner's, and a writer's as `drstream policy` allows it."""
    place = sandbox.inside("s3://acme-backups/pg", "policy")
    command = [sandbox.binary, "policy", "s3", "--role", "writer", "-r", place]
    writer = minio.user(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    profiles = {"default": minio, "offsite": minio, "drs-writer": writer}
    lines = [f"[{name}]\naws_access_key_id = {who.access_key}\naws_secret_access_key = {who.secret_key}\n"
             for name, who in profiles.items()]  # fmt: skip
    (sandbox.home / ".aws").mkdir()
    (sandbox.home / ".aws/credentials").write_text("".join(lines))


def run_page(name, text, new_sandbox):
    blocks = blocks_of(name, text)
    commands = "".join(block.text for block in blocks if block.language not in ("text", "hex"))
    run = "".join(block.text for block in blocks if not block.not_run)
    sandbox = new_sandbox(run + "".join(action for block in blocks for action in block.before))
    for block in blocks:
        if block.file is not None:
            check_used(block, commands)
            sandbox.save(block)
    for block in blocks:
        if block.language not in ("text", "hex"):
            sandbox.run(block)


def check_used(block, commands):
    """A script that no unit, crontab or block names would never run."""
    name = block.file.rpartition("/")[2]
    elsewhere = commands.replace(block.text, "")
    if block.language == "sh" and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", elsewhere):
        raise BadPage(f"{block.where}: nothing on the page runs {name}")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_block_of_a_page_does_what_it_says(page, new_sandbox):
    run_page(page.name, page.read_text(), new_sandbox)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("```\nsome text\n```", "a block is one of"),
        ("```python\nimport os\n```", "a block is one of"),
        ("```sh\ndrstream list --no-such-option\n```", "--no-such-option"),
        ("```sh\ndrstream snapshot\n```", "there is no command 'snapshot'"),
        ("```sh\nno-such-program\n```", "no-such-program"),
        ("```sh\ndrstream version; false\n```", "exit 1, expected 0"),
        ("```sh\nrm -rf /var/lib/mysql\n```", "would touch the machine"),
        ("```text\ndrstream list\n```", "use sh or console"),
        ("    drstream list\n", "a command outside of a block"),
        ("```systemd\n[Service]\nExecStart=/bin/true\n```", "where it is saved"),
        ("```toml\nno-such-key = 1\n```", "no-such-key"),
        ("<!-- file: /etc/cron.d/x -->\n```cron\n99 x drstream list\n```", "no line of a crontab"),
        ("<!-- file: /etc/cron.d/x -->\n```cron\n15 1 * * * root drstream lst\n```", "there is no command 'lst'"),
        ("<!-- file: /usr/local/bin/x -->\n```sh\n#!/bin/sh\ndrstream list\n```", "nothing on the page runs x"),
        ("<!-- please: skip -->\n```sh\ndrstream list\n```", "not understood"),
        ("*Not run by the tests: needs a cloud.*\n```sh\naws s3 ls | drstream push s --max-size 1\n```", "--max-size"),
        ("*Not run by the tests: needs a cloud.*\n```sh\nno-such-program s3 ls\n```", "unknown: no-such-program"),
        ("*Not run by the tests: takes long.*\n```sh\nscripts/no-such\n```", "there is no scripts/no-such"),
        ("```console\n$ drstream --version\ndrstream ten\n```", "the page has 'drstream ten'"),
        ("```sh\ndrstream version", "the block does not end"),
    ],
)
def test_what_a_page_must_not_have_is_found(text, problem, new_sandbox):
    with pytest.raises((BadPage, AssertionError)) as raised:
        run_page("PAGE.md", text, new_sandbox)
    assert problem in str(raised.value)


def test_what_is_not_run_is_still_parsed(new_sandbox):
    block = "```sh\naws s3 ls | drstream push s -r s3://b/p\n```"
    run_page("PAGE.md", f"*Not run by the tests: needs a cloud.*\n{block}", new_sandbox)


def spans():
    return [(f"{page.name}:{line}", span) for page in pages() for line, span in code_spans(page.read_text())]


def test_prose_names_commands_and_options_that_there_are(binary):
    """Of a command line in the prose, options may be left out, and ... stands for any."""
    problems = []
    for where, span in spans():
        words = [word for word in span.split() if word != "..."]
        if words[0] != "drstream" or len(words) < 2 or words[1][0].isdigit():  # `drstream 0.1.0`: a version
            continue
        done = subprocess.run([binary, *words[1:]], env={"DRSTREAM_PROGRESS_FD": "99"}, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)  # fmt: skip
        if PARSED not in done.stderr and re.search(r"not expected|there is no command", done.stderr):
            problems.append(f"{where}: `{span}`: {done.stderr}")
    assert not problems, "\n".join(problems)


def test_prose_names_options_that_there_are(binary, tmp_path):
    subprocess.run([binary, "man", "--output-dir", tmp_path], check=True)
    manual = "".join(page.read_text() for page in tmp_path.glob("*.1")).replace("\\-", "-")
    known = set(re.findall(r"--[a-z][a-z0-9-]*", manual)) | FOREIGN_OPTIONS
    named = {(option, where) for where, span in spans() if span.startswith("--")
             for option in re.findall(r"--[a-z][a-z0-9-]*", span.split(" -- ")[0])}  # fmt: skip
    unknown = sorted(f"{where}: {option}" for option, where in named if option not in known)
    assert not unknown, "\n".join(unknown)
