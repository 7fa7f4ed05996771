"""Credentials that are allowed what `drstream policy s3` prints can do their work, and no harm."""

import base64
import hashlib
import json

import pytest
from removals import remove
from repository import sample_bytes
from s3_repository import S3Repository
from services import faults
from services.s3_client import error_code

STREAM = "pg/app"
DATA = sample_bytes(6_000_000)


class Owned:
    """A repository in a bucket with versioning and Object Lock, as its owner and as users with printed policies."""

    def __init__(self, binary, folder, server):
        self.server = server
        self.root = server.client()
        self.bucket = server.new_bucket(versioning=True, object_lock=True)
        self.binary = binary
        self.folder = folder
        self.owner = self.repository(self.root)
        self.owner.run("init")
        self.policies = {}

    def repository(self, client, endpoint=None, key=""):
        folder = self.folder / f"as-{client.access_key}"
        folder.mkdir(exist_ok=True)
        return S3Repository(self.binary, folder, client, self.bucket, endpoint, key=key)

    def user(self, role, *options, endpoint=None):
        """The repository as a new user with the role's policy."""
        policy = self.owner.text("policy", "s3", "--role", role, *options)
        client = self.server.user(policy)
        return self.repository(client, endpoint, self.owner.key)

    def versions(self):
        """Each version with its bytes: what no user may change."""
        return {(version.key, version.version_id): self.root.get(self.bucket, version.key, version.version_id).body
                for version in self.root.list_versions(self.bucket) if not version.is_delete_marker}


@pytest.fixture
def owned(binary, tmp_path, minio):
    return Owned(binary, tmp_path, minio)


def refused(reply):
    return reply.status == 403 and error_code(reply) == "AccessDenied"


def test_a_writer_can_do_all_its_work_without_a_warning(owned, tmp_path):
    writer = owned.user("writer")
    for data in (DATA, DATA[:-9]):
        (tmp_path / "source").write_bytes(data)
        pushed = writer.run("--json", "push", STREAM, "--file", tmp_path / "source")
        assert json.loads(pushed.out)["warnings"] == []
        assert "warn" not in pushed.err, pushed.err
    assert writer.pull(STREAM) == DATA[:-9]
    assert len(writer.snapshots()) == 2
    for command in (["verify"], ["verify", "--read-data"], ["scrub"], ["doctor", "--role", "writer"], ["stats"],
                    ["key", "test"]):  # fmt: skip
        outcome = writer.run(*command)
        assert "warn" not in outcome.err, (command, outcome.err)
    # Nor may it do again what an owner does.
    assert "`drstream policy s3`" in writer.run("key", "add", "--new-passphrase-command", "echo secret", expect=5).err


def test_a_writer_holds_for_a_year_and_a_pruner_for_ever_and_ends_holds(owned):
    writer, pruner = owned.user("writer"), owned.user("pruner")
    writer.push(STREAM, DATA)
    assert "--until" in writer.run("hold", STREAM, expect=2).err
    held = writer.json("hold", STREAM, "--until", "300d", "--reason", "migration")
    assert held["stored"].startswith("holds/") and held["hold"]["reason"] == "migration"
    writer.run("hold", "--release", STREAM, expect=5)
    pushed = writer.run("--json", "push", STREAM, "--hold", input=DATA[:-9])
    assert "until" in json.loads(pushed.out)["hold"] and "only a pruner's may" in pushed.err
    first = owned.owner.snapshots()[0]["id"]
    assert pruner.json("hold", first)["hold"] == {}
    assert "hold" not in pruner.json("hold", "--release", first)
    remove(owned.owner, first)
    assert owned.owner.pull(pruner.json("unforget", first)["id"]) == DATA


def test_a_stolen_writer_key_deletes_and_changes_no_version_of_anything(owned):
    writer = owned.user("writer")
    writer.push(STREAM, DATA)
    before = owned.versions()
    thief = writer.client
    for key, version in before:
        assert refused(thief.delete(owned.bucket, key, version)), key
        assert refused(thief.delete(owned.bucket, key)), key
    # Nor all at once, nor by making room for forged marks, nor by changing the bucket.
    listed = "".join(f"<Object><Key>{key}</Key><VersionId>{version}</VersionId></Object>" for key, version in before)
    body = f"<Delete>{listed}</Delete>".encode()
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    reply = thief.request("POST", f"/{owned.bucket}", {"delete": ""}, {"x-amz-checksum-sha256": checksum}, body)
    assert b"<Deleted>" not in reply.body and reply.body.count(b"AccessDenied") >= len(before)
    for part in ("removed", "retired", "kept", "condemned", "waits", "verified", "config", "keys"):
        assert refused(thief.put(owned.bucket, f"{writer.prefix}/{part}/forged", b"forged")), part
    assert refused(thief.put(owned.bucket, "elsewhere", b"x"))
    assert refused(thief.request("PUT", f"/{owned.bucket}", {"versioning": ""}, body=b"<VersioningConfiguration/>"))
    # MinIO has no condition that refuses a put over an object; the version below stays.
    for key in {key for key, _ in before}:
        thief.put(owned.bucket, key, b"forged")
    after = owned.versions()
    assert {version: after[version] for version in before} == before


def test_a_writer_sees_nothing_outside_its_prefix(owned):
    owned.root.put(owned.bucket, "other/secret", b"secret")
    writer = owned.user("writer").client
    assert refused(writer.get(owned.bucket, "other/secret"))
    assert refused(writer.request("GET", f"/{owned.bucket}", {"list-type": "2", "prefix": ""}))
    assert refused(writer.request("GET", f"/{owned.bucket}", {"list-type": "2", "prefix": "other/"}))


def test_a_sweeper_reads_everything_and_marks_what_is_damaged(owned):
    owned.owner.push(STREAM, DATA)
    sweeper = owned.user("sweeper")
    sweeper.run("verify", "--read-data")
    sweeper.run("doctor", "--role", "sweeper")
    pack = next(name for name in sweeper.objects() if name.startswith("packs/"))
    body = bytearray(sweeper.read_object(pack))
    body[len(body) // 2] ^= 1
    owned.root.put(owned.bucket, f"{sweeper.prefix}/{pack}", bytes(body))
    outcome = sweeper.run("scrub", expect=4)
    assert "could not be stored" not in outcome.err
    assert any(name.startswith(f"damaged/{pack.rpartition('/')[2]}-") for name in sweeper.objects())
    assert sweeper.run("push", STREAM, input=DATA, expect=5).err
    assert refused(sweeper.client.delete(owned.bucket, f"{sweeper.prefix}/{pack}"))


def test_a_sweeper_records_what_it_has_proven_and_a_writer_does_not(owned):
    writer = owned.user("writer")
    writer.push(STREAM, DATA)
    before = set(writer.objects())
    denied = writer.run("sweep", expect=5)
    assert "cannot be recorded under verified/" in denied.err and "rights of a sweeper" in denied.err
    assert "--read-only" in denied.err
    looked = writer.json("sweep", "--read-only")
    assert looked["packs_read"] > 0 and looked["coverage"]["ratio"] == 1 and not looked["evidence"]
    assert set(writer.objects()) == before
    sweeper = owned.user("sweeper")
    swept = sweeper.json("sweep")
    assert swept["evidence"] and swept["coverage"]["ratio"] == 1 and swept["packs_read"] == looked["packs_read"]
    records = set(sweeper.objects()) - before
    assert len(records) == swept["records_stored"] and all(name.startswith("verified/") for name in records)
    # All who have the key can tell from it what is proven, and a writer need not read it again.
    assert writer.json("sweep", "--read-only")["packs_due"] == 0
    thief = sweeper.client
    for part in ("packs", "index", "manifests", "sessions", "holds", "removed", "retired", "kept", "condemned", "waits",
                 "config", "keys"):  # fmt: skip
        assert refused(thief.put(owned.bucket, f"{sweeper.prefix}/{part}/forged", b"forged")), part
    for name in sweeper.objects():
        assert refused(thief.delete(owned.bucket, f"{sweeper.prefix}/{name}")), name


def test_a_pruner_reads_and_removes(owned):
    owned.owner.push(STREAM, DATA)
    pruner = owned.user("pruner")
    pruner.run("doctor", "--role", "pruner")
    assert pruner.pull(STREAM) == DATA
    name = next(name for name in pruner.objects() if name.startswith("packs/"))
    assert pruner.client.delete(owned.bucket, f"{pruner.prefix}/{name}").status == 204
    assert name not in pruner.objects()


def test_a_pruner_forgets_prunes_and_takes_back_what_a_writer_has_pushed(owned):
    writer = owned.user("writer")
    old = writer.push(STREAM, sample_bytes(3_000_000, seed=7))["id"]
    writer.push(STREAM, DATA)
    assert "AccessDenied" in writer.run("forget", old, expect=5).err
    pruner = owned.user("pruner")
    at_once = ["--min-age", "0", "--grace", "0"]
    pruner.run("forget", old)
    pruner.run("unforget", old)
    (again,) = [snapshot["id"] for snapshot in pruner.snapshots() if snapshot["sequence"] == 1]
    assert writer.pull(again) == sample_bytes(3_000_000, seed=7)
    pruner.run("forget", again)
    assert pruner.json("prune", *at_once, "--undo", "0")["condemned"]["packs"] > 0
    # Pushes of a writer leave their session objects; their manifests settle them.
    deleted = pruner.json("prune", *at_once, "--undo", "0")
    assert deleted["deleted"]["packs"] > 0 and deleted["deleted"]["locked_objects"] == 0
    assert pruner.names("sessions") == []
    assert writer.pull(STREAM) == DATA
    writer.run("verify", "--read-data", "--read-only")


def test_a_pruner_ends_no_hold_by_deletion_and_makes_no_condemned_pack_usable(owned):
    owned.owner.push(STREAM, DATA)
    pruner = owned.user("pruner")
    session = next(name for name in pruner.objects() if name.startswith("manifests/")).removeprefix("manifests/")
    names = [f"condemned/{bytes(16).hex()}", f"kept/{session}-00000000", f"holds/{session}-00000000"]
    for name in names:
        assert pruner.client.put(owned.bucket, f"{pruner.prefix}/{name}", b"stands for one").status == 200
    names += [name for name in pruner.objects() if name.startswith(("config/", "keys/"))]
    assert len(names) >= 5
    for name in names:
        assert refused(pruner.client.delete(owned.bucket, f"{pruner.prefix}/{name}")), name
    for name in names[3:]:
        assert refused(pruner.client.put(owned.bucket, f"{pruner.prefix}/{name}", b"forged")), name


def test_each_role_is_told_what_its_credentials_lack_or_have_too_much(owned):
    assert "can delete backups" in owned.owner.text("doctor", "--role", "writer", expect=2)
    assert "may not create" in owned.user("sweeper").text("doctor")
    assert "BAD" in owned.user("sweeper").text("doctor", "--role", "writer", expect=2)
    assert "a pruner needs it" in owned.user("writer").text("doctor", "--role", "pruner", expect=2)


def test_the_policy_allows_no_request_that_no_command_makes(owned, fault_proxy, minio):
    proxy = fault_proxy(minio)
    writer = owned.user("writer", endpoint=proxy.endpoint)
    writer.push(STREAM, DATA)
    writer.pull(STREAM)
    writer.run("verify", "--read-data")
    writer.run("doctor")
    path = f"/{owned.bucket}/{writer.prefix}/"
    put_parts = {seen.target.removeprefix(path).partition("/")[0] for seen in proxy.requests
                 if seen.method == "PUT" and seen.status == 200}
    assert put_parts == {"packs", "index", "manifests", "sessions", "doctor"}  # and damaged/, where there is damage
    # All that is refused is the deletion of session objects and of doctor's own.
    denied = {(seen.method, seen.target.removeprefix(path).partition("/")[0]) for seen in proxy.requests
              if seen.status == 403}
    assert denied == {("DELETE", "sessions"), ("DELETE", "doctor")}


def test_what_is_not_there_is_told_from_what_may_not_be_seen(owned, fault_proxy, minio):
    """AWS says 403 to HEAD of an absent object where lists are limited to a prefix; MinIO says 404."""
    proxy = fault_proxy(minio)
    writer = owned.user("writer", endpoint=proxy.endpoint)
    proxy.on(faults.answer(403, "AccessDenied"), method="HEAD", path="/removed/", times=None)
    writer.push(STREAM, DATA)
    assert proxy.spoiled() == ["answer"]
    proxy.on(faults.answer(403, "AccessDenied"), method="HEAD", path="/removed/", times=None)
    proxy.on(faults.answer(403, "AccessDenied"), method="GET", path="prefix=[^&]*removed%2F[0-9a-f]", times=None)
    writer.run("push", STREAM, input=DATA, expect=5)


def test_the_policy_needs_no_key_and_no_repository(new_repository):
    repository = new_repository("nowhere", key=None)
    environment = {"DRSTREAM_REPOSITORY": None}
    policy = json.loads(repository.text("policy", "s3", "--role", "writer", env=environment))
    assert policy["Statement"][0]["Resource"] == "arn:aws:s3:::BUCKET"
    place = {"DRSTREAM_REPOSITORY": "s3://backups/pg?region=cn-north-1"}
    policy = json.loads(repository.text("policy", "s3", "--create-only", "--principal", "arn:aws-cn:iam::1:user/a", env=place))
    creating = next(statement for statement in policy["Statement"] if statement["Sid"] == "CreateObjects")
    assert "arn:aws-cn:s3:::backups/pg/packs/*" in creating["Resource"]
    assert creating["Condition"] == {"Null": {"s3:if-none-match": "false"}}
    assert creating["Principal"] == {"AWS": "arn:aws-cn:iam::1:user/a"}
    place = {"DRSTREAM_REPOSITORY": "s3://backups/pg", "AWS_REGION": "cn-north-1"}
    assert '"arn:aws-cn:s3:::backups"' in repository.text("policy", "s3", env=place)
    local = {"DRSTREAM_REPOSITORY": str(repository.folder)}
    assert "is not in S3" in repository.run("policy", "s3", env=local, expect=2).err
