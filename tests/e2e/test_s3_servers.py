"""S3 as servers other than MinIO have it: a repository's life, faults on the way, and locks.

versitygw in each run. With DRSTREAM_TEST_FULL=1 also SeaweedFS, every fault, and many random ones.
"""

import os

import pytest
from repository import sample_bytes
from s3_faults import COMMANDS, FAULTS, TYPED, Subject, random_rules
from s3_repository import S3Repository
from services.s3_client import error_code
from test_s3_lock import LOCKED, days_left, part

FULL = os.environ.get("DRSTREAM_TEST_FULL") == "1"
STREAM = "pg/app"
DATA = sample_bytes(5_000_000)


@pytest.fixture(scope="module", params=["versitygw", "seaweedfs"] if FULL else ["versitygw"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def repository(new_s3_repository, server):
    made = new_s3_repository(server)
    made.run("init")
    return made


def test_a_repository_lives_there(repository):
    changed = DATA[:2_000_000] + sample_bytes(500_000, seed=2) + DATA[2_000_000:]
    first = repository.push(STREAM, DATA)
    second = repository.push(STREAM, changed)
    assert second["new_bytes"] < first["new_bytes"] / 2
    assert [repository.pull(pushed["id"]) for pushed in (first, second)] == [DATA, changed]
    repository.run("verify", "--read-data")
    repository.run("scrub")
    repository.run("stats")
    # Damage is found, and named as such.
    pack = repository.largest_pack()
    repository.flip(pack)
    assert pack in repository.run("scrub", expect=4).out.decode()
    repository.flip(pack)
    repository.run("verify", "--read-data")


def test_doctor_finds_it_fit(repository):
    report = repository.json("doctor")
    assert report["fit"], report
    bad = [check for check in report["checks"] if check["state"] == "bad"]
    assert not bad


def test_what_is_wrong_is_told(repository, server, new_s3_repository):
    assert new_s3_repository(server, "elsewhere", bucket="no-such-bucket").run("list", expect=10).err
    wrong = repository.run("list", "--no-cache", env={"AWS_SECRET_ACCESS_KEY": "wrong"}, expect=5)
    assert "secret is wrong" in wrong.err
    # versitygw answers with a 404, which says nothing about any object.
    unknown = repository.run("list", "--no-cache", env={"AWS_ACCESS_KEY_ID": "nobody"}, expect=5)
    assert "access key" in unknown.err


@pytest.fixture(scope="module")
def subject(binary, server, tmp_path_factory):
    return Subject(S3Repository(binary, tmp_path_factory.mktemp("faults"), server.client(), server.new_bucket()))


SOME = ["500 after it was done", "412 that is not true", "lost reply", "request twice, first reply", "truncated body",
        "wrong bytes", "error in 200 after a write"]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS if FULL else SOME)
@pytest.mark.parametrize("command", COMMANDS if FULL else ["push", "pull"])
def test_a_fault_that_passes_is_not_seen(subject, server, fault_proxy, dice, command, fault):
    subject.meet(command, fault, fault_proxy(server), subject.data(dice))


def test_random_faults_lose_nothing(subject, server, fault_proxy, dice, share):
    for number in share(range(100 if FULL else 3)):
        with fault_proxy(server) as proxy:
            subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"
            rules, codes = random_rules(proxy, dice)
            command = dice.choice(list(COMMANDS))
            outcome = subject.attempt(command, proxy.endpoint, subject.data(dice))
            assert outcome.code in codes, f"{number}: {command} with {rules}: {outcome.code} {outcome.err}"
    subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "3s"
    assert set(TYPED) <= set(codes)
    subject.ledger.prove()


def test_what_a_push_stores_and_reuses_is_locked_for_the_days_asked(server, new_s3_repository):
    locked = new_s3_repository(server, bucket=server.new_bucket(object_lock=True))
    locked.run("init", "--lock-days", "20")
    locked.push(STREAM, DATA, "--lock-days", "20")
    first = locked.objects()
    for name in first:
        if part(name) in LOCKED:
            mode, days = days_left(locked, name)
            assert mode == "GOVERNANCE" and 20 < days < 23, (name, days)
    locked.push(STREAM, DATA, "--lock-days", "40")
    for name in locked.objects():
        if part(name) in LOCKED and not (part(name) == "manifests" and name in first):
            assert 40 < days_left(locked, name)[1] < 46, name
    for version in locked.client.list_versions(locked.bucket):
        if part(version.key.removeprefix(f"{locked.prefix}/")) in LOCKED and not version.is_delete_marker:
            assert error_code(locked.client.delete(locked.bucket, version.key, version.version_id)) == "AccessDenied"
    assert locked.pull(STREAM) == DATA
