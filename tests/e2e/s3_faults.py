"""Commands against a store that misbehaves, and what must hold afterwards. A further command is one line in COMMANDS."""

from collections import namedtuple

from campaign_support import QUICK, STREAM, Ledger
from repository import Repository, sample_bytes, sha256_hex
from services import faults

TIMEOUT = "3s"  # --store-timeout
BASE = sample_bytes(700_000)
FROM_KEY = "BACKUP_FROM_ENCRYPTION_KEY"


def _run(*arguments):
    return lambda subject, _: subject.repository.run(*arguments, expect=None)


def _push(subject, data):
    return subject.repository.run("push", STREAM, *QUICK, "-q", input=data, expect=None)


def _copy_into(subject, data):
    """From a local repository that is not a replica: sealed again."""
    near = subject.near
    near.push(STREAM, data, *QUICK)
    return subject.repository.run(
        "copy", f"{STREAM}@latest", "--from-repository", near.path, env={FROM_KEY: near.key}, expect=None)


def _copy_from(subject, _):
    """Into a local repository that is made for it, and shows a whole snapshot or none."""
    subject.copies += 1
    target = Repository(subject.repository.binary, subject.folder(f"copy{subject.copies}"))
    target.run("init")
    given = {name: value for name, value in subject.repository.environment().items()
             if name.startswith("AWS_") or name == "DRSTREAM_STORE_TIMEOUT"}
    outcome = target.run(
        "copy", f"{STREAM}@latest", "--from-repository", subject.repository.path,
        env={**given, FROM_KEY: subject.repository.key}, expect=None)
    listed = target.snapshots()
    assert listed or outcome.code != 0, outcome.err
    for snapshot in listed:
        assert sha256_hex(target.pull(snapshot["id"])) == subject.ledger.held[subject.newest()]
    return outcome


# Each: (subject, the data to push) -> Outcome, run through the proxy before the server.
COMMANDS = {
    "push": _push,
    "copy into": _copy_into,
    "pull": _run("pull", STREAM, "-q"),
    "copy from": _copy_from,
    "verify": _run("verify", "--read-data"),
    "scrub": _run("scrub"),
}
STORES = ("push", "copy into")

# What a command may end with when the store fails for longer than it is given: never 0 for what was not done, never a
# bug (1), never "damage" that is none (4).
TYPED = (0, 2, 5, 6, 7, 10, 13)

# `method`, `path`: what it makes sense for. `exits`: a command must succeed where the fault passes, mostly. `times`: how
# often in a row that is, from the `nth` request on; what arrives damaged is read again once.
Fault = namedtuple("Fault", "make method path exits times nth", defaults=(None, None, (0,), 2, 2))

FAULTS = {
    "500": Fault(faults.internal_error),
    "500 after it was done": Fault(lambda: faults.internal_error(applied=True)),
    "503 slow down": Fault(lambda: faults.slow_down(0)),
    "429": Fault(lambda: faults.too_many_requests(0)),
    "503 with a date": Fault(lambda: faults.slow_down("Sun, 06 Nov 1994 08:49:37 GMT")),
    "403 expired, and no other credentials": Fault(faults.expired_token, exits=(0, 5)),
    "409": Fault(faults.conflict, "PUT"),
    "412 that is not true": Fault(faults.precondition_failed, "PUT"),
    "307": Fault(faults.redirect),
    "error in 200 to a read": Fault(faults.error_in_200, "GET"),
    "error in 200 to a write": Fault(faults.error_in_200, "PUT"),
    "error in 200 after a write": Fault(lambda: faults.error_in_200(applied=True), "PUT"),
    "404 of an ingress": Fault(faults.ingress_404),
    "404 of an ingress after it was done": Fault(lambda: faults.ingress_404(applied=True), "PUT"),
    "200 of a block page": Fault(faults.block_page),
    "lost request": Fault(faults.lost_request),
    "lost reply": Fault(faults.lost_reply),
    "request twice, first reply": Fault(lambda: faults.duplicated(1)),
    "request twice, second reply": Fault(lambda: faults.duplicated(2), "PUT"),
    "truncated body": Fault(faults.truncated_body, "GET"),
    "empty body": Fault(lambda: faults.truncated_body(0), "GET"),
    "wrong bytes": Fault(faults.wrong_bytes, "GET", r"/(config|keys|packs|index|manifests)/", times=1),
    "wrong bytes in a list": Fault(faults.wrong_bytes, "GET", "list-type", nth=1),
    "stale list": Fault(faults.stale_list, "GET", "list-type", nth=1),
    "delay": Fault(lambda: faults.delay(0.2)),
    "stall": Fault(faults.stall, times=1),
}


class Subject:
    """A repository in a bucket, reached through a fault proxy while it is tried, and directly while it is checked."""

    def __init__(self, repository):
        self.repository = repository
        self.direct = repository.endpoint
        repository.variables["DRSTREAM_STORE_TIMEOUT"] = TIMEOUT
        repository.run("init")
        self.ledger = Ledger(repository)
        self.ledger.push(BASE)
        self.near = Repository(repository.binary, self.folder("near"))
        self.near.run("init")
        self.copies = 0

    def folder(self, name):
        path = self.repository.folder / name
        path.mkdir()
        return path

    def data(self, dice):
        """Another stream that shares most of its bytes with the others."""
        return BASE[: dice.randrange(len(BASE))] + dice.randbytes(dice.randrange(1000, 200_000))

    def attempt(self, command, endpoint, data):
        """Runs the command at `endpoint`; checks what it did, and what it left, without anything in between."""
        self.repository.endpoint = endpoint
        before = self.newest()
        try:
            outcome = COMMANDS[command](self, data)
        finally:
            self.repository.endpoint = self.direct
        fresh = self.ledger.take_stock(data)
        if command in STORES:
            assert fresh or outcome.code != 0, outcome.err
        else:
            assert not fresh
        if command == "pull" and outcome.code == 0:
            assert sha256_hex(outcome.out) == self.ledger.held[before], "another stream was restored"
        assert not {name for name in self.repository.objects() if name.startswith("damaged/")}, outcome.err
        return outcome

    def meet(self, command, fault, proxy, data):
        """Attempts the command while one of FAULTS passes; it must not be seen."""
        how = FAULTS[fault]
        met = []
        fault_function = how.make()

        def noted(exchange):
            met.append(exchange.request)
            fault_function(exchange)

        proxy.on(noted, how.method, how.path, nth=how.nth, times=how.times)
        outcome = self.attempt(command, proxy.endpoint, data)
        assert met or (command not in STORES and how.method == "PUT"), "the fault met no request"
        assert outcome.code in how.exits, (outcome.code, outcome.err)

    def newest(self):
        return list(self.ledger.held)[-1]


def random_rules(proxy, dice):
    """One to four faults at random requests: what they are, for messages, and the exit codes that are right then."""
    chosen = {}
    codes = TYPED
    for _ in range(dice.randint(1, 4)):
        name = dice.choice([name for name in FAULTS if name != "stall"])
        fault = FAULTS[name]
        nth, times = dice.randint(1, 25), dice.choice([1, 1, 2, 4, None])
        if name.startswith("wrong bytes"):
            # Data that arrives damaged twice is reported as damage. A list has no checksum at all: TLS must protect it.
            if name in chosen:
                continue
            times = 1
            codes = (*TYPED, 4) if "list" in name else codes
        proxy.on(fault.make(), fault.method, fault.path, nth=nth, times=times)
        chosen.setdefault(name, []).append((nth, times))
    return chosen, codes
