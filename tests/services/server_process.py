"""A server in the background: starts it on a free port, waits until it is ready, stops or kills it."""

import os
import random
import socket
import subprocess
import time

from services.cache import Unavailable

START_SECONDS = 60
STOP_SECONDS = 10


def free_port():
    """A free port of 127.0.0.1, below the range that the kernel uses for outgoing connections."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable("no free port")


class ServerProcess:
    """A command that serves until it is stopped. `ready()` returns whether it is ready, or raises OSError."""

    def __init__(self, command, folder, ready, **variables):
        self.command = [str(word) for word in command]
        self.folder = folder
        self.ready = ready
        self.environment = {**os.environ, "HOME": str(folder), **variables}
        self.log = folder / "server.log"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.launch()
        self.wait_until_ready()

    def launch(self):
        with open(self.log, "ab") as log:
            # The kernel kills it when this thread ends, so also when the test run is killed.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self.command],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def wait_until_ready(self):
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{self.command[0]} did not start: {self.log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.05)

    def _answers(self):
        try:
            return self.ready()
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
