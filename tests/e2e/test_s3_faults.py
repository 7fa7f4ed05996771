"""Every fault of the list and every toxic of the wire, under each command: retried within the budget, or an exit that
says why. Never a wrong restore, never half a snapshot, never damage that is none.
"""

import threading
import time

import pytest
from campaign_support import QUICK, STREAM, kill_after
from s3_faults import COMMANDS, FAULTS, STORES, Subject, random_rules
from s3_repository import S3Repository
from services import faults


def new_subject(binary, minio, folder):
    return Subject(S3Repository(binary, folder, minio.client(), minio.new_bucket()))


@pytest.fixture(scope="module")
def subject(binary, minio, tmp_path_factory):
    return new_subject(binary, minio, tmp_path_factory.mktemp("faults"))


@pytest.fixture
def small_subject(binary, minio, tmp_path):
    """A repository of its own: a fault that stays, such as a delay of each request, makes a large one take minutes."""
    return new_subject(binary, minio, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_fault_that_passes_is_not_seen(subject, minio, fault_proxy, dice, command, fault):
    subject.meet(command, fault, fault_proxy(minio), subject.data(dice))


TOXICS = {
    "latency": lambda proxy: proxy.latency(40, jitter=20),
    "bandwidth": lambda proxy: proxy.bandwidth(300),
    "stall": lambda proxy: proxy.stall(),
    "timeout": lambda proxy: proxy.timeout(100),
    "reset at once": lambda proxy: proxy.reset_peer(),
    "reset in the answer": lambda proxy: proxy.reset_peer(30),
    "reset in the request": lambda proxy: proxy.reset_peer(30, stream="upstream"),
    "limited data": lambda proxy: proxy.limit_data(20_000),
    "limited requests": lambda proxy: proxy.limit_data(20_000, stream="upstream"),
    "slow close": lambda proxy: proxy.slow_close(100),
}


@pytest.mark.parametrize("toxic", TOXICS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_wire_that_mends_is_not_seen(subject, minio, toxiproxy, dice, command, toxic):
    with toxiproxy.proxy(minio.port) as proxy:
        name = TOXICS[toxic](proxy)
        mend = threading.Timer(0.7, lambda: proxy.remove(name))
        mend.start()
        try:
            outcome = subject.attempt(command, f"http://{proxy.address}", subject.data(dice))
        finally:
            mend.join()
    assert outcome.code == 0, outcome.err


def test_a_pull_finds_what_was_stored_after_its_lists_were_made(subject, minio, fault_proxy, dice):
    """A pull lists everything at once: the manifest may be in its list, and the packs and the index not yet."""
    proxy = fault_proxy(minio)
    subject.attempt("pull", proxy.endpoint, b"")
    data = subject.data(dice)
    subject.ledger.push(data)
    proxy.on(faults.stale_list(), "GET", "prefix=[^&]*(packs|index)", times=2)
    outcome = subject.attempt("pull", proxy.endpoint, b"")
    assert proxy.spoiled() == ["stale_list"] * 2
    assert outcome.out == data, outcome.err


def test_a_store_that_takes_no_manifest_is_away_and_not_damaged(subject, minio, fault_proxy, dice):
    """It serves reads, as one that has lost its quorum for writes."""
    subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"
    proxy = fault_proxy(minio)
    proxy.on(faults.internal_error(), "PUT", "/manifests/", times=None)
    outcome = subject.attempt("push", proxy.endpoint, subject.data(dice))
    subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "3s"
    assert outcome.code == 6, outcome.err


LASTING = {"500": (6,), "404 of an ingress": (6,), "200 of a block page": (6,), "lost request": (6,), "lost reply": (6,), "truncated body": (6,), "error in 200 to a read": (6,),
           "503 slow down": (6,), "403 expired, and no other credentials": (5,)}  # fmt: skip


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_fault_that_stays_ends_in_time_and_says_which_store_and_why(subject, minio, fault_proxy, dice, command, fault):
    subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"
    proxy = fault_proxy(minio)
    how = FAULTS[fault]
    proxy.on(how.make(), how.method, how.path, nth=6, times=None)
    started = time.monotonic()
    outcome = subject.attempt(command, proxy.endpoint, subject.data(dice))
    subject.repository.variables["DRSTREAM_STORE_TIMEOUT"] = "3s"
    assert outcome.code in LASTING[fault], (outcome.code, outcome.err)
    assert f"127.0.0.1:{proxy.port}" in outcome.err
    assert time.monotonic() - started < 60


def test_random_faults_and_kills_lose_nothing(small_subject, minio, fault_proxy, full_run, share, dice):
    subject = small_subject
    rounds = share(range(300 if full_run else 8))
    repository = subject.repository
    codes = {}
    for number in rounds:
        proxy = fault_proxy(minio)
        repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"
        rules, codes_then = random_rules(proxy, dice)
        data = subject.data(dice)
        if dice.random() < 0.4:
            path = repository.folder / "stream"
            path.write_bytes(data)
            repository.endpoint = proxy.endpoint
            with open(path, "rb") as stdin:
                code, _ = kill_after(repository, dice.uniform(0.02, 1.0), "push", STREAM, *QUICK, stdin=stdin)
            repository.endpoint = subject.direct
            subject.ledger.take_stock(data)
        else:
            command = dice.choice(list(COMMANDS))
            outcome = subject.attempt(command, proxy.endpoint, data)
            code = outcome.code
            assert code in codes_then, f"{number}: {command} with {rules}: {code} {outcome.err} {outcome.out[:2000]!r}"
        codes[code] = codes.get(code, 0) + 1
        proxy.__exit__()
    repository.variables["DRSTREAM_STORE_TIMEOUT"] = "3s"
    subject.ledger.prove()
    print(f"{len(rounds)} schedules, exit codes {codes}; {len(subject.ledger.held)} snapshots whole")
