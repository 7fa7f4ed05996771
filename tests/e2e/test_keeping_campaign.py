"""Random commands on one repository: pushes, forget, unforget, holds, prunes, restores, checks and repairs; some killed,
some stopped for longer than every time that a prune waits. No committed snapshot is lost, nothing is called damaged,
every exit code is a documented one, and two prunes leave nothing that no snapshot needs."""

import signal
import subprocess
import time

import pytest
from campaign_support import QUICK, kill_after
from repository import sha256_hex

AT_ONCE = ["--min-age", "0", "--grace", "0", "--undo", "0"]
LEFT_BYTES_MAX = 200_000  # of packs, beside 1.15 times the live ones: tables, and small packs


class Keeper:
    def __init__(self, drs, dice):
        self.drs, self.dice = drs, dice
        self.base = dice.randbytes(1_500_000)
        self.live = {}  # id: digest
        self.held = set()
        self.removed = {}
        self.stopped = []
        self.counts = {}

    def data(self):
        begin = self.dice.randrange(len(self.base))
        return self.base[begin : begin + self.dice.randrange(1, 800_000)] + self.dice.randbytes(self.dice.randrange(200_000))

    def learn(self, attempted):
        """After commands that may have died: what is live is what was, or one of `attempted`."""
        listed = {snapshot["id"] for snapshot in self.drs.snapshots()}
        assert set(self.live) <= listed, f"lost: {set(self.live) - listed}"
        for snapshot in listed - set(self.live):
            digest = sha256_hex(self.drs.pull(snapshot))
            assert digest in attempted, f"{snapshot} is none of what was pushed"
            self.live[snapshot] = digest

    def push(self):
        data = self.data()
        report = self.drs.push(self.dice.choice("abc"), data, *QUICK)
        self.live[report["id"]] = sha256_hex(data)

    def push_killed(self):
        data = self.data()
        path = self.drs.folder / "stream"
        path.write_bytes(data)
        kill_after(self.drs, self.dice.uniform(0.001, 0.2), "push", "a", "--file", path, *QUICK, stdin=subprocess.DEVNULL)
        self.learn({sha256_hex(data)})

    def push_stopped(self):
        """A push that sleeps while other commands run; `wake` ends it."""
        if self.stopped:
            return self.wake()
        data = self.data()
        process = self.drs.start("push", "b", *QUICK, "--json", stdin=-1)
        process.stdin.write(data)
        process.stdin.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGSTOP)
        self.stopped.append((process, data))

    def wake(self):
        process, data = self.stopped.pop()
        process.send_signal(signal.SIGCONT)
        process.stdin.close()
        code = process.wait(60)
        process.stdout.close()
        process.stderr.close()
        assert code in (0, 7), code
        self.learn({sha256_hex(data)} if code == 0 else set())

    def forget(self):
        if len(self.live) < 2:
            return
        snapshot = self.dice.choice(sorted(self.live))
        outcome = self.drs.run("forget", snapshot, expect=None)
        assert outcome.code == (15 if snapshot in self.held else 0), outcome
        if snapshot not in self.held:
            self.removed[snapshot] = self.live.pop(snapshot)

    def unforget(self):
        if not self.removed:
            return
        snapshot = self.dice.choice(sorted(self.removed))
        outcome = self.drs.run("unforget", snapshot, expect=(0, 7, 16))
        digest = self.removed.pop(snapshot)
        if outcome.code == 0:
            self.learn({digest})

    def hold(self):
        if not self.live:
            return
        snapshot = self.dice.choice(sorted(self.live))
        if snapshot in self.held:
            self.drs.run("hold", "--release", snapshot)
            self.held.discard(snapshot)
        else:
            self.drs.run("hold", snapshot, "--reason", "campaign")
            self.held.add(snapshot)

    def prune(self):
        self.drs.json("prune", *AT_ONCE)

    def prunes_together(self):
        processes = [self.drs.start("prune", *AT_ONCE) for _ in range(3)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err

    def prune_exclusive(self):
        self.drs.run("prune", "--exclusive", "--force", *AT_ONCE)

    def prune_killed(self):
        code, _ = kill_after(self.drs, self.dice.uniform(0.001, 0.2), "prune", *AT_ONCE, stdin=subprocess.DEVNULL)
        assert code in (0, -9)

    def pull(self):
        if self.live:
            snapshot = self.dice.choice(sorted(self.live))
            assert sha256_hex(self.drs.pull(snapshot)) == self.live[snapshot]

    def verify(self):
        self.drs.run("verify", "--read-data")

    def scrub(self):
        self.drs.run("scrub")

    def repair_index(self):
        self.drs.run("repair", "index", *self.dice.choice([[], ["--all"]]))

    def step(self):
        actions = [self.push] * 6 + [self.forget] * 4 + [self.prune] * 4 + [
            self.push_killed, self.push_stopped, self.unforget, self.hold, self.prunes_together, self.prune_killed,
            self.prune_exclusive, self.pull, self.verify, self.scrub, self.repair_index]  # fmt: skip
        action = self.dice.choice(actions)
        self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
        action()

    def end(self):
        while self.stopped:
            self.wake()
        for _ in range(3):
            self.drs.run("prune", "--exclusive", "--force", *AT_ONCE)
        for snapshot, digest in self.live.items():
            assert sha256_hex(self.drs.pull(snapshot)) == digest
        self.drs.run("verify", "--read-data", "--read-only")
        self.drs.run("scrub", "--read-only")
        space = self.drs.json("stats")["space"]
        assert space["packs_bytes"] <= 1.15 * space["live_bytes"] + LEFT_BYTES_MAX, space
        assert self.drs.names("waits") == [] and self.drs.names("damaged") == []


@pytest.mark.every_store
def test_random_commands_lose_nothing(drs, full_run, share, dice):
    keeper = Keeper(drs, dice)
    for _ in share(range(2000 if full_run else 60)):
        keeper.step()
    keeper.end()
    print(f"{keeper.counts}; {len(keeper.live)} snapshots whole")


