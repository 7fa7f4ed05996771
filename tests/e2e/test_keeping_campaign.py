"""Random commands on one repository: pushes, resumes, copies from a replica, into it and from another repository, forget,
unforget, holds, prunes, restores, checks, sweeps, rot and repairs; some killed, some stopped for longer than every time that a prune
waits, in a folder some with a clock that is a year off. No committed snapshot is lost, none that was removed comes back,
nothing intact is called damaged, no coverage is told that was not read, every exit code is a documented one, and two prunes leave nothing that no snapshot needs."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from campaign_support import QUICK, kill_after
from preload import preload
from removals import AT_ONCE
from repository import sha256_hex

LEFT_BYTES_MAX = 200_000  # of packs, beside 1.15 times the live ones: tables, and small packs
YEAR_SECONDS = 365 * 24 * 3600


def flip_quietly(drs, name, place, times=None):
    """Flips a bit of a stored file at a place (a share of its length, or an offset) and keeps its times. What to call
    it with again to heal it."""
    path = drs.path / name
    times = times or (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    content = bytearray(path.read_bytes())
    at = place if isinstance(place, int) else int(place * len(content))
    content[at] ^= 1
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=times)
    return at, times


class Keeper:
    """`clocks`: environments, of which each command gets one."""

    def __init__(self, drs, replica, other, dice, clocks):
        self.drs, self.replica, self.other, self.dice, self.clocks = drs, replica, other, dice, clocks
        self.base = dice.randbytes(1_500_000)
        self.live = {}  # id: digest
        self.removed = {}
        self.stopped = []
        self.spooled = set()  # digests of what was pushed over the spool, and may be committed by a resume
        self.counts = {}

    def run(self, *arguments, repository=None, source=None, **options):
        """A command with one of the clocks."""
        key = {"BACKUP_FROM_ENCRYPTION_KEY": source.key} if source else {}
        return (repository or self.drs).run(*arguments, env={**self.dice.choice(self.clocks), **key}, **options)

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
        self.run("push", self.dice.choice("abc"), *QUICK, input=data)
        self.learn({sha256_hex(data)})

    def push_killed(self):
        data = self.data()
        path = self.drs.folder / "stream"
        path.write_bytes(data)
        kill_after(self.drs, self.dice.uniform(0.001, 0.2), "push", "a", "--file", path, *QUICK, stdin=subprocess.DEVNULL)
        self.learn({sha256_hex(data)})

    def push_spooled_killed(self):
        data = self.data()
        path = self.drs.folder / "stream"
        path.write_bytes(data)
        kill_after(self.drs, self.dice.uniform(0.05, 0.4), "push", "d", "--file", path, "--spool", self.drs.folder / "spool",
                   *QUICK, stdin=subprocess.DEVNULL)  # fmt: skip
        self.spooled.add(sha256_hex(data))
        self.learn(self.spooled)

    def resume(self):
        """3: a stream was not read to its end before the kill. 7: a prune has fenced it."""
        self.run("resume", "--spool", self.drs.folder / "spool", expect=(0, 3, 7))
        self.learn(self.spooled)

    def copy_to_replica(self):
        """7: an earlier copy, which was killed, is fenced there. Then what the message says is done."""
        options = self.dice.choice([[], ["--mirror"]])
        outcome = self.run("--json", "copy", "--from-repository", self.drs.path, *options, repository=self.replica,
                           source=self.drs, expect=(0, 7))  # fmt: skip
        fenced = [copy["id"] for copy in json.loads(outcome.out)["snapshots"] if copy["outcome"] == "fenced"]
        assert bool(fenced) == (outcome.code == 7)
        for snapshot in fenced:
            if snapshot in self.held():
                self.run("hold", "--release", snapshot)
            self.run("forget", snapshot)
            self.run("unforget", snapshot)
            self.learn({self.live.pop(snapshot)})

    def prune_replica(self):
        """4: a copy of a snapshot is fenced that a later one names."""
        options = self.dice.choice([[], ["--exclusive", "--force"]])
        self.run("prune", *options, *self.dice.choice([[], AT_ONCE]), repository=self.replica, expect=(0, 4))

    def copy_killed(self):
        kill_after(self.replica, self.dice.uniform(0.01, 0.3), "copy", "--from-repository", self.drs.path,
                   stdin=subprocess.DEVNULL, env={"BACKUP_FROM_ENCRYPTION_KEY": self.drs.key})  # fmt: skip

    def copy_back(self):
        """What was removed here does not come back. 13: the replica lacks a snapshot whose copy was fenced."""
        self.run("copy", "--from-repository", self.replica.path, source=self.replica, expect=(0, 13))
        self.learn(set())

    def copy_from_another(self):
        data = self.data()
        self.other.push("e", data, *QUICK)
        self.run("copy", "e", "--from-repository", self.other.path, source=self.other)
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

    def held(self):
        """A copy from the replica brings a hold back that was released here."""
        return {snapshot["id"] for snapshot in self.drs.snapshots() if "hold" in snapshot}

    def forget(self):
        if len(self.live) < 2:
            return
        snapshot = self.dice.choice(sorted(self.live))
        held = snapshot in self.held()
        self.run("forget", snapshot, expect=15 if held else 0)
        if not held:
            self.removed[snapshot] = self.live.pop(snapshot)

    def unforget(self):
        if not self.removed:
            return
        snapshot = self.dice.choice(sorted(self.removed))
        outcome = self.run("unforget", snapshot, expect=(0, 7, 16))
        digest = self.removed.pop(snapshot)
        if outcome.code == 0:
            self.learn({digest})

    def hold(self):
        if not self.live:
            return
        snapshot = self.dice.choice(sorted(self.live))
        if snapshot in self.held():
            self.run("hold", "--release", snapshot)
        else:
            self.run("hold", snapshot, "--reason", "campaign")

    def prune(self):
        self.run("prune", *AT_ONCE)

    def prunes_together(self):
        processes = [self.drs.start("prune", *AT_ONCE) for _ in range(3)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err

    def prune_exclusive(self):
        self.run("prune", "--exclusive", "--force", *AT_ONCE)

    def prune_killed(self):
        code, _ = kill_after(self.drs, self.dice.uniform(0.001, 0.2), "prune", *AT_ONCE, stdin=subprocess.DEVNULL)
        assert code in (0, -9)

    def pull(self):
        if self.live:
            snapshot = self.dice.choice(sorted(self.live))
            assert sha256_hex(self.drs.pull(snapshot)) == self.live[snapshot]

    def verify(self):
        self.run("verify", "--read-data")

    def scrub(self):
        self.run("scrub")

    def sweep(self):
        """15 would be a limit; 4 damage: there is none."""
        level = self.dice.choice(["digest", "decode", "decode", "rebuild"])
        shard = self.dice.choice([[], ["--shard", self.dice.choice(["1/2", "2/2"])]])
        budget = self.dice.choice([[], ["--budget", f"{self.dice.randrange(1, 2_000_000)}B"], ["--budget", "20ms"]])
        again = self.dice.choice([[], ["--verified-within", "0s"]])
        self.run("sweep", "--level", level, *shard, *budget, *again)

    def sweep_killed(self):
        code, _ = kill_after(self.drs, self.dice.uniform(0.001, 0.2), "sweep", "--verified-within", "0s",
                             stdin=subprocess.DEVNULL)  # fmt: skip
        assert code in (0, -9)

    def rot(self):
        """A bit flips in a pack, whose time stays. What is proven since then is not this pack, until it is healed."""
        packs = self.drs.names("packs")
        if not packs or self.stopped:
            return
        pack = self.dice.choice(packs)
        time.sleep(0.01)
        began = time.time()
        times = flip_quietly(self.drs, pack, self.dice.random())
        try:
            for _ in range(self.dice.randrange(3)):
                budget = self.dice.choice([[], ["--budget", f"{self.dice.randrange(1, 2_000_000)}B"]])
                again = self.dice.choice([[], ["--verified-within", "0s"]])
                self.drs.run("sweep", "--level", self.dice.choice(["digest", "decode"]), *budget, *again, expect=(0, 4))
                self.nothing_rotten_is_proven(began)
            condemned = self.drs.json("status", expect=(0, 4))["coverage"]["packs"] < len(packs)
            report = self.drs.json("sweep", "--verified-within", "0s", expect=(0, 4) if condemned else 4)
            assert {one["object"] for one in report["findings"] if one["object"].startswith("packs/")} <= {pack}
            self.nothing_rotten_is_proven(began)
            if self.dice.randrange(2) and self.repair(pack):
                return
        finally:
            if (self.drs.path / pack).exists():
                flip_quietly(self.drs, pack, *times)
        self.drs.run("sweep", "--verified-within", "0s")
        assert self.drs.json("status")["packs_marked"] == 0

    def repair(self, pack):
        """From the replica, which may lack what was not copied (4). Where it healed all, the pack is spare: checks with a
        key are content, and prunes delete it."""
        source = self.dice.choice([[], ["--from-repository", self.replica.path]])
        outcome = self.run("repair", "packs", *source, source=self.replica, expect=(0, 4))
        if outcome.code == 4:
            return False
        for command in (["verify", "--read-data"], ["sweep", "--verified-within", "0s"], ["status"]):
            self.drs.run(*command)
        for _ in range(2):
            self.drs.run("prune", "--exclusive", "--force", *AT_ONCE)
        assert pack not in self.drs.names("packs")
        self.pull()
        self.counts["healed"] = self.counts.get("healed", 0) + 1
        return True

    def nothing_rotten_is_proven(self, began):
        within = f"{int((time.time() - began) * 1000)}ms"
        status = self.drs.json("status", "--verified-within", within, expect=(0, 4, 15))
        rotten = 0 if status["coverage"]["packs"] < len(self.drs.names("packs")) else 1
        assert status["coverage"]["proven_packs"] <= status["coverage"]["packs"] - rotten, status["coverage"]

    def repair_index(self):
        self.run("repair", "index", *self.dice.choice([[], ["--all"]]))

    def step(self):
        actions = [self.push] * 6 + [self.forget] * 4 + [self.prune] * 4 + [
            self.push_killed, self.push_stopped, self.push_spooled_killed, self.resume, self.unforget, self.hold,
            self.prunes_together, self.prune_killed, self.prune_exclusive, self.copy_to_replica, self.copy_killed,
            self.prune_replica, self.copy_back, self.copy_from_another, self.pull, self.verify, self.scrub, self.repair_index,
            self.sweep, self.sweep, self.sweep_killed]  # fmt: skip
        if isinstance(self.drs.path, Path):  # a store alone can set the times of its objects
            actions += [self.rot]
        action = self.dice.choice(actions)
        self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
        action()

    def end(self):
        while self.stopped:
            self.wake()
        self.resume()
        for _ in range(3):
            self.drs.run("prune", "--exclusive", "--force", *AT_ONCE)
        for snapshot, digest in self.live.items():
            assert sha256_hex(self.drs.pull(snapshot)) == digest
        self.drs.run("verify", "--read-data", "--read-only")
        self.drs.run("scrub", "--read-only")
        self.drs.run("sweep")
        assert self.drs.json("status")["coverage"]["ratio"] == 1
        space = self.drs.json("stats")["space"]
        assert space["packs_bytes"] <= 1.15 * space["live_bytes"] + LEFT_BYTES_MAX, space
        assert self.drs.names("waits") == [] and self.drs.names("damaged") == []
        for _ in range(2):
            self.copy_to_replica()
        for command in (["verify", "--read-data", "--read-only"], ["prune"]):
            self.run(*command, repository=self.replica)


@pytest.fixture(scope="module")
def clocks(tmp_path_factory, missing, store):
    """A bucket refuses a clock that is far from its own."""
    if store != "local":
        return [{}]
    off = preload("clock_off", tmp_path_factory.mktemp("clock"), missing)
    years = [{**off, "CLOCK_OFF_SECONDS": str(seconds)} for seconds in (-YEAR_SECONDS, YEAR_SECONDS)]
    return [{}] * 6 + years


@pytest.mark.every_store
def test_random_commands_lose_nothing(drs, new_repository, clocks, full_run, share, dice):
    replica, other = new_repository("replica"), new_repository("other")
    replica.run("init", "--replica-of", drs.path, env={"BACKUP_FROM_ENCRYPTION_KEY": drs.key})
    other.run("init")
    keeper = Keeper(drs, replica, other, dice, clocks)
    for _ in share(range(2000 if full_run else 60)):
        keeper.step()
    keeper.end()
    print(f"{keeper.counts}; {len(keeper.live)} snapshots whole")


