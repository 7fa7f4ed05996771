"""Where the blocks of a page run: one folder that stands for the machine, with its services.

A path such as /var/backups/drs becomes one below the folder, in commands and in what they print; a path that is none of
PLACES is refused, so that no page touches the machine. Settings live on from block to block, as in a terminal.
"""

import configparser
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import termios
import time
from pathlib import Path

from document_blocks import ROOT, BadPage

SECONDS_MAX = 120

# Folders of the pages that stand for folders of the sandbox.
PLACES = ["/etc/drstream", "/etc/systemd/system", "/etc/cron.d", "/usr/local/bin", "/var/backups", "/var/lib/drstream",
          "/var/lib/prometheus/node-exporter", "/var/spool/drstream", "/mnt", "/srv", "/run/lock"]  # fmt: skip
# What pages may name as it is.
REAL_PATHS = re.compile(r"/(dev/(null|stdin|stdout)|bin|bin/(sh|bash)|usr/bin:/bin|"
                        r"usr/(bin|lib/postgresql/15/bin)(/[\w-]+)?)")  # fmt: skip
PLACE = re.compile(r"(?<![\w./:-])(?:" + "|".join(map(re.escape, PLACES)) + r")(?![\w-])")
ABSOLUTE = re.compile(r"(?<![\w./:~$%}*{<-])/[a-z][\w./:@-]*")

# Programs of others, which only pages that are not run may call.
FOREIGN = {"apt", "aws", "chromium", "cmake", "cpack", "docker", "gcloud", "journalctl", "ln", "mc", "podman",
           "qemu-aarch64-static", "systemctl", "tar"}  # fmt: skip
FIELD = r"(\*|\d+(-\d+)?(,\d+(-\d+)?)*)(/\d+)?"
CRON_LINE = re.compile(rf"(?:{FIELD}\s+){{5}}(?P<user>[a-z][\w-]*)\s+(?P<command>.+)")

PARSED = "--progress-fd 99: this descriptor is not open"  # said once a command line is understood, before anything else


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Sandbox:
    """`services`: a dict of text in pages to its stand-in, such as an address; `variables`: of all commands."""

    def __init__(self, binary, folder, services, variables):
        self.binary, self.folder, self.services = binary, folder, services
        self.bin, self.home = folder / "bin", folder / "home"
        self.home.mkdir(parents=True)
        for place in PLACES:
            (folder / place[1:]).mkdir(parents=True, exist_ok=True)
        self.base = {**variables, "SANDBOX": str(folder), "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "dumb",
                     "HOME": str(self.home),
                     "PATH": f"{self.bin}:{folder}/usr/local/bin:{os.environ['PATH']}",
                     "XDG_STATE_HOME": f"{folder}/state"}  # fmt: skip
        self.saved = folder / "variables"  # what the last block left
        self.cwd = self.home
        self._make_programs()

    def _make_programs(self):
        """drstream with the configuration of /etc; sudo, which keeps no variables; install, which keeps the owner."""
        config = self.folder / "etc/drstream/config.toml"
        executable(self.bin / "drstream", f'#!/bin/sh\n[ -n "$DRSTREAM_CONFIG" ] || [ ! -e {config} ] || '
                   f'export DRSTREAM_CONFIG={config}\nexec {self.binary} "$@"\n')  # fmt: skip
        kept = " ".join(f'{name}="${name}"' for name in self.base)
        kept += ' DRSTREAM_PROGRESS="${DRSTREAM_PROGRESS:-auto}"'
        executable(self.bin / "sudo", f'#!/bin/bash\n[[ $1 != -u ]] || shift 2\nexec env -i {kept} "$@"\n')
        executable(self.bin / "install", '#!/bin/bash\nargs=()\nwhile (($#)); do\n'
                   '  case $1 in -o | -g) shift ;; *) args+=("$1") ;; esac\n  shift\ndone\n'
                   'exec /usr/bin/install "${args[@]}"\n')  # fmt: skip
        shutil.copy(ROOT / "tests/engine/format/independent_reader.py", self.home)

    def inside(self, text, where):
        """The text of a page as it holds here. Raises BadPage for a path of the machine."""
        for path in ABSOLUTE.findall(text):
            if not PLACE.match(path) and not REAL_PATHS.fullmatch(path):
                raise BadPage(f"{where}: {path} would touch the machine: use one of {', '.join(PLACES)}")
        examples = self.folder / "examples"
        known = [line.split("\t") for line in examples.read_text().splitlines()] if examples.exists() else []
        return self._replace(text, dict(known) | self.services)

    def _replace(self, text, values):
        text = PLACE.sub(lambda found: f"{self.folder}{found.group()}", text)
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def outside(self, text):
        """What was printed, as a reader of the page would see it."""
        for name, value in self.services.items():
            text = text.replace(value, name)
        return text.replace(str(self.folder), "")

    def save(self, block):
        """A file of the page. A script is checked by its shell."""
        path = Path(self.inside(block.file, block.where))
        executable(path, self.inside(block.text, block.where))
        if block.language == "sh":
            subprocess.run(["bash", "-n", path], check=True)
        else:
            path.chmod(0o644)

    def _script(self, text):
        functions = (ROOT / "tests/e2e/document_sandbox.bash").read_text()
        variables = f". {self.saved}\n" if self.saved.exists() else ""
        keep = f"trap 'status=$?; declare -px >{self.saved}; pwd >{self.folder}/cwd; exit $status' EXIT\n"
        return f"{self._replace(functions, self.services)}\nset -e -o pipefail\n{variables}{keep}{text}"

    def _ended(self):
        self.cwd = Path((self.folder / "cwd").read_text().strip())

    def bash(self, text, env=None):
        """Runs `text` to its end: exit code, what it printed on both ways together."""
        done = subprocess.run(["bash", "-c", self._script(text)], cwd=self.cwd, env=env or self.base, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS_MAX)  # fmt: skip
        self._ended()
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def expect(self, text, where, code=0):
        got, printed = self.bash(text)
        assert got == code, f"{where}: exit {got}, expected {code}\n{self.outside(printed)}"
        return printed

    def prepare(self, block):
        for action in block.before:
            self.expect(self.inside(action, block.where), f"{block.where} (before)")

    def run(self, block):
        """Runs a block. Raises BadPage or AssertionError."""
        self.prepare(block)
        {"sh": self._run_commands, "console": self._run_session, "toml": self._read_configuration,
         "systemd": self._run_unit, "cron": self._run_crontab}[block.language](block)  # fmt: skip

    def _run_commands(self, block):
        if block.not_run:
            self.parse(block)
        elif block.file is None:
            self.expect(self.inside(block.text, block.where), block.where, block.exit)

    def _run_session(self, block):
        shown = []
        for line in block.lines:
            if line.startswith("$ "):
                shown.append((line[2:], []))
            elif shown:
                shown[-1][1].append(line)
            else:
                raise BadPage(f"{block.where}: a session begins with a command")
        for command, expected in shown:
            code, printed = self._at_terminal(self.inside(command, block.where))
            printed = self.outside(printed).splitlines()
            assert code == block.exit, f"{block.where}: {command}: exit {code}, expected {block.exit}\n{printed}"
            problem = difference(expected, printed)
            assert problem is None, f"{block.where}: {command}: {problem}\nprinted:\n" + "\n".join(printed)

    def _at_terminal(self, command):
        mine, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (50, 1000))  # pages show lines that a narrow terminal would wrap
        env = {**self.base, "DRSTREAM_PROGRESS": "never"}
        process = subprocess.Popen(["bash", "-c", self._script(command)], cwd=self.cwd, env=env,
                                   stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal)  # fmt: skip
        os.close(terminal)
        printed, end = b"", time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            if not select.select([mine], [], [], 1)[0]:
                continue
            try:
                printed += os.read(mine, 65536)
            except OSError:  # the terminal's other end is closed
                break
        os.close(mine)
        code = process.wait(SECONDS_MAX)
        self._ended()
        return code, printed.decode("utf-8", "replace").replace("\r\n", "\n")

    def _read_configuration(self, block):
        path = self.folder / "configuration.toml"
        path.write_text(self.inside(block.text, block.where))
        self.expect(f"drstream config check --config {path}", block.where)

    def _run_unit(self, block):
        """The unit is verified with those that it names; what it starts of the page is run as it says."""
        path = Path(self.inside(block.file, block.where))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], check=False, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0 and not done.stderr.strip(), f"{block.where}: {done.stderr}"
        unit = configparser.RawConfigParser(strict=False, delimiters="=", interpolation=None)
        unit.optionxform = str
        unit.read(path)
        command = unit.get("Service", "ExecStart", fallback="")
        if str(self.folder) not in command and "drstream" not in command:
            return
        settings = re.findall(r"^Environment=(\w+)=(.*)$", path.read_text(), re.M)
        self._run_bare(command, dict(settings), block.where)

    def _run_crontab(self, block):
        settings = {}
        for line in self.inside(block.text, block.where).splitlines():
            if setting := re.fullmatch(r"(\w+)=(\S*)", line):
                settings[setting.group(1)] = setting.group(2)
                continue
            entry = CRON_LINE.fullmatch(line)
            if entry is None or re.search(r"(?<!\\)%", line):
                raise BadPage(f"{block.where}: {line}: no line of a crontab")
            printed = self._run_bare(entry["command"], settings, block.where)
            assert printed == "", f"{block.where}: cron would mail this every time: {printed}"

    def _run_bare(self, command, settings, where):
        """As a service or a cron job runs: with few variables, and none of the page's."""
        env = {**self.base, **{name: value for name, value in settings.items() if name != "PATH"}}
        shell = settings.get("SHELL", "/bin/sh")
        done = subprocess.run([shell, "-c", command], cwd=self.home, env=env, check=False, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS_MAX)  # fmt: skip
        assert done.returncode == 0, f"{where}: {command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def parse(self, block):
        """Each drstream of the block is read by its own parser; every other command must be known; nothing is run."""
        stubs = self.folder / "stubs"
        shutil.rmtree(stubs, ignore_errors=True)
        (stubs / "bin").mkdir(parents=True)
        for name in re.findall(r"(?<![\w/])(?:scripts|bench|build/release/bench)/[\w-]+", block.text):
            source = ROOT / (name.replace("build/release/", "") + ".cc" if name.startswith("build/") else name)
            if not source.is_file():
                raise BadPage(f"{block.where}: there is no {name}")
            executable(stubs / name, "#!/bin/sh\n")
        executable(stubs / "bin/drstream", f'#!/bin/bash\nsaid=$(DRSTREAM_PROGRESS_FD=99 {self.binary} "$@" 2>&1)\n'
                   f'[[ $said == *"{PARSED}"* ]] || {{ echo "$said"; exit 1; }}\n')  # fmt: skip
        handler = ("command_not_found_handle() {\n"
                   '  [[ $1 != sudo ]] || { shift; [[ $1 != -u ]] || shift 2; "$@"; return; }\n'
                   f'  [[ " {" ".join(FOREIGN)} " == *" $1 "* ]] || {{ echo "unknown: $1"; return 127; }}\n'
                   "}\n")  # fmt: skip
        text = handler + PLACE.sub(f"{stubs}\\g<0>", block.text)
        done = subprocess.run(["/bin/bash", "-e", "-o", "pipefail", "-c", text],
                              cwd=stubs, env={"PATH": f"{stubs}/bin:/bin-of-nothing"}, check=False, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX)  # fmt: skip
        assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"


def mask(line):
    """A line without what differs from run to run."""
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d", "TIME", line)
    line = re.sub(r"\bpacks/[0-9a-f]{2}/", "packs/", line)
    line = re.sub(r"\b[0-9a-f]{8,}\b", "ID", line)
    line = re.sub(r"\b\d[\d.,]*( ?(B|KiB|MiB|GiB|ms|s|%))?(?![\w])", "N", line)
    return re.sub(r"[ ]+", " ", line).strip()


def agree(line, printed):
    """Whether a line of a page matches the output; one that ends in ... matches its beginning."""
    if line.endswith(" ..."):
        return mask(printed).startswith(mask(line.removesuffix(" ...")))
    return mask(printed) == mask(line)


def difference(expected, printed):
    """What a session shows that was not printed, or None."""
    at, skipping = 0, False
    for line in expected:
        if line.strip() == "...":
            skipping = True
            continue
        while skipping and at < len(printed) and not agree(line, printed[at]):
            at += 1
        if at >= len(printed) or not agree(line, printed[at]):
            return f"the page has '{line}', the command '{printed[at] if at < len(printed) else 'nothing more'}'"
        at, skipping = at + 1, False
    if not skipping and any(line.strip() for line in printed[at:]):
        return f"the command goes on with '{printed[at]}'"
    return None
