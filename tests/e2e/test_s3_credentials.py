"""Whose credentials sign requests to S3, and which certificates are trusted: as AWS's own tools find them."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from repository import sample_bytes
from services.certificates import make_certificates
from services.s3_client import S3Client

DATA = sample_bytes(300_000)


@pytest.fixture
def moto(moto_server):
    """moto with what the tests ask of a Minio. It checks no signature."""
    client = S3Client(moto_server.endpoint, "AKIAIOSFODNN7EXAMPLE", "secret")

    def new_bucket():
        client.make_bucket("drstream-credentials")
        return "drstream-credentials"

    return SimpleNamespace(endpoint=moto_server.endpoint, ca_file=None, client=lambda: client, new_bucket=new_bucket)


def use_profile(repository, text):
    """Nothing but the profile `backup` of this file says who one is."""
    config = repository.folder / "aws-config"
    config.write_text(text)
    unset = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    repository.variables |= {name: None for name in unset} | {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "backup"}
    return config


def keys(client):
    return f"aws_access_key_id = {client.access_key}\naws_secret_access_key = {client.secret_key}\n"


@pytest.mark.parametrize("server", ["minio", "moto"])
def test_a_role_is_assumed_with_the_keys_of_its_source_profile(request, new_s3_repository, fault_proxy, server):
    store = request.getfixturevalue(server)  # MinIO checks the signatures, also of STS; moto answers as STS does
    repository = new_s3_repository(store)
    use_profile(
        repository,
        "[profile backup]\nrole_arn = arn:aws:iam::123456789012:role/backup\nsource_profile = base\n"
        "role_session_name = night\nduration_seconds = 3600\n[profile base]\n" + keys(store.client()),
    )
    sts = fault_proxy(store)
    repository.variables["AWS_ENDPOINT_URL_STS"] = sts.endpoint
    repository.run("init")
    repository.push("s", DATA)
    assert repository.pull("s") == DATA
    assert {(seen.method, seen.target, seen.status) for seen in sts.requests} == {("POST", "/", 200)}
    if server == "moto":
        return
    # A wrong secret is seen by STS, not only later by S3.
    use_profile(
        repository,
        "[profile backup]\nrole_arn = arn:aws:iam::123456789012:role/backup\nsource_profile = base\n"
        f"[profile base]\naws_access_key_id = {store.client().access_key}\naws_secret_access_key = wrong\n",
    )
    refused = repository.run("list", expect=None)
    assert refused.code != 0
    assert "role arn:aws:iam::123456789012:role/backup: STS answered" in refused.err


def process_of(repository, script):
    program = repository.folder / "give-credentials"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    use_profile(repository, f"[profile backup]\ncredential_process = {program}\n")


def test_a_signal_ends_a_credential_process_that_hangs_and_the_push(new_s3_repository, minio):
    repository = new_s3_repository(minio)
    repository.run("init")
    began = repository.folder / "began"
    process_of(repository, f"touch {began}; echo $$ > {began}; exec sleep 600")
    push = repository.start("push", "s", stdin=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not (began.exists() and began.read_text()):
        assert push.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    push.send_signal(signal.SIGTERM)
    _, err = push.communicate(timeout=10)
    assert push.returncode == 128 + signal.SIGTERM, err.decode()
    with pytest.raises(ProcessLookupError):
        os.kill(int(began.read_text()), 0)


@pytest.mark.parametrize("how", ["kill", "two signals"])
def test_a_credential_process_does_not_outlive_a_killed_push(new_s3_repository, minio, how):
    """Nor does what it started."""
    repository = new_s3_repository(minio)
    repository.run("init")
    began = repository.folder / "began"
    process_of(repository, f"trap '' TERM; sleep 600 & echo $$ $! > {began}.new; mv {began}.new {began}; wait")
    push = repository.start("push", "s", stdin=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not began.exists():
        assert push.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    if how == "kill":
        push.kill()
    else:
        push.send_signal(signal.SIGTERM)
        time.sleep(1.1)
        push.send_signal(signal.SIGTERM)
    push.wait(10)
    left = [Path("/proc") / pid for pid in began.read_text().split()]
    while any(process.exists() and "\nState:\tZ" not in (process / "status").read_text() for process in left):
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.02)


def test_a_credential_process_gives_credentials(new_s3_repository, minio):
    repository = new_s3_repository(minio)
    client = minio.client()
    process_of(repository, f"""printf '{{"Version":1,"AccessKeyId":"{client.access_key}","""
                           f""""SecretAccessKey":"{client.secret_key}"}}'""")
    repository.run("init")
    repository.push("s", DATA)
    assert repository.pull("s") == DATA


@pytest.fixture
def system_trusts(tmp_path):
    """system_trusts(ca_file): a launcher in whose view the machine trusts that authority, by its folder of them."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare")

    def launcher(ca_file):
        folder = tmp_path / "trusted"
        folder.mkdir()
        shutil.copy(ca_file, folder / "own.pem")
        subprocess.run(["openssl", "rehash", folder], check=True)
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", folder)  # libcurl wants it to be there
        return ["unshare", "--mount", "sh", "-c", f'mount --bind "{folder}" /etc/ssl/certs && exec "$0" "$@"']

    return launcher


def test_a_ca_file_replaces_what_the_system_trusts(new_s3_repository, minio_tls, system_trusts, tmp_path):
    trusted = system_trusts(minio_tls.ca_file)
    other = tmp_path / "other"
    other.mkdir()
    foreign = make_certificates(other).ca_file
    repository = new_s3_repository(minio_tls)
    repository.ca_file = None
    repository.run("init", launcher=trusted)  # the system's trust is in force
    refused = repository.run("list", "--ca-file", foreign, launcher=trusted, expect=None)
    assert refused.code == 2, refused.err
    assert "--ca-file" in refused.err


@pytest.mark.parametrize("named_by", ["variable", "profile", "option"])
def test_certificates_are_named_as_for_aws_tools(new_s3_repository, minio_tls, named_by, tmp_path):
    repository = new_s3_repository(minio_tls)
    own, repository.ca_file = str(minio_tls.ca_file), None
    other = tmp_path / "other"
    other.mkdir()
    wrong = str(make_certificates(other).ca_file)
    # What comes later in the order is wrong, and does not count.
    bundle = {"variable": wrong, "option": wrong, "profile": own}[named_by]
    use_profile(repository, f"[profile backup]\nca_bundle = {bundle}\n{keys(minio_tls.client())}")
    if named_by != "profile":
        repository.variables["AWS_CA_BUNDLE"] = wrong if named_by == "option" else own
    if named_by == "option":
        repository.variables["DRSTREAM_CA_FILE"] = own
    repository.run("init")


@pytest.mark.parametrize("style, host", [("auto", "localhost"), ("path", "localhost"), ("virtual", "BUCKET.localhost")])
def test_the_style_of_addresses_can_be_chosen(new_s3_repository, versitygw, style, host):
    repository = new_s3_repository(versitygw)
    repository.endpoint = f"http://localhost:{versitygw.port}"  # names below it are this machine, too
    repository.variables["DRSTREAM_ADDRESS_STYLE"] = style
    repository.run("init")
    repository.push("s", DATA)
    assert repository.pull("s") == DATA
    checks = {check["name"]: check["detail"] for check in repository.json("doctor")["checks"]}
    expected = host.replace("BUCKET", repository.bucket)
    assert f"HTTP to {expected}:{versitygw.port}" in str(checks)


def test_a_place_can_have_a_style_of_its_own(new_s3_repository, versitygw):
    repository = new_s3_repository(versitygw)
    repository.endpoint = f"http://localhost:{versitygw.port}"
    repository.path += "?address-style=virtual"
    checks = {check["name"]: check["detail"] for check in repository.json("doctor")["checks"]}
    assert f"HTTP to {repository.bucket}.localhost" in str(checks)
    refused = repository.run("list", env={"DRSTREAM_REPOSITORY": repository.path + "s"}, expect=2)
    assert "virtuals" in refused.err
