"""Evidence: what a run leaves as a page, as JUnit and as JSON.

The pages are opened in Chromium and printed to A4; what a reader can see there is what is checked.
"""

import html.parser
import json
import re
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest
from json_schemas import assert_valid
from kafka_archives import Archives
from repository import sample_bytes
from services.kafka_client import Message

A4_POINTS = (595, 842)
# Elements without an end.
VOID = {"meta", "circle", "line", "rect", "polygon", "polyline"}


@pytest.fixture(scope="session")
def browser(missing, tmp_path_factory):
    """browser(page, *options): Chromium on a page without a screen; its output."""
    program = shutil.which("chromium")
    if program is None or shutil.which("pdftotext") is None:
        missing("there is no chromium or no pdftotext (packages chromium and poppler-utils)")
    home = tmp_path_factory.mktemp("chromium")

    def run(page, *options):
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={home}", *options, f"file://{page}"],
            capture_output=True, check=False, timeout=120,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"})  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
        return done.stdout.decode()

    return run


class Page(html.parser.HTMLParser):
    """The elements of a page: their texts by tag, and the tags that were not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.open, self.faults = {}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def has(self, tag, text):
        return any(text in one for one in self.texts.get(tag, []))


def page_of(path):
    page = Page(path.read_text(encoding="utf-8"))
    assert page.faults == [] and page.open == []
    return page


def printed(browser, path):
    """Prints a page to A4; its text, and how many sheets it takes."""
    pdf = path.with_suffix(".pdf")
    browser(path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    facts = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    size = [float(number) for number in re.search(r"Page size: +([\d.]+) x ([\d.]+)", facts).groups()]
    assert all(abs(is_ - wanted) < 2 for is_, wanted in zip(size, A4_POINTS)), facts
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return text, int(re.search(r"Pages: +(\d+)", facts).group(1))


def words_outside(path):
    """Words of a PDF that do not lie wholly on their sheet, within its margins of 10 mm at the sides."""
    pdf = path.with_suffix(".pdf")
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', boxes)
    assert len(found) > 50
    return [word for left, top, right, bottom, word in found
            if float(left) < 28 or float(right) > A4_POINTS[0] - 28 or float(top) < 0 or float(bottom) > A4_POINTS[1]]


def suite_of(path):
    """The one suite of a JUnit file, whose counts are checked; the names of failed and of passed cases."""
    root = ElementTree.parse(path).getroot()
    [suite] = root
    assert root.tag == "testsuites" and suite.tag == "testsuite"
    cases = suite.findall("testcase")
    failures = [case for case in cases if case.find("failure") is not None]
    errors = [case for case in cases if case.find("error") is not None]
    for element in (root, suite):
        assert int(element.get("tests")) == len(cases)
        assert int(element.get("failures")) == len(failures) and int(element.get("errors")) == len(errors)
    assert all(case.get("classname") and case.get("name") and float(case.get("time")) >= 0 for case in cases)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp")) and suite.get("hostname")
    bad = {case.get("name") for case in failures + errors}
    return bad, {case.get("name") for case in cases} - bad


def rot(drs):
    """Changes a byte of a pack."""
    pack = next(drs.path.glob("packs/*/*"))
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(content)
    return pack.relative_to(drs.path).as_posix()


@pytest.fixture
def nights(drs):
    """Five nights of three streams, of which one has stopped."""
    for day in range(1, 6):
        for number, stream in enumerate(["pg/app", "pg/globals", "kafka/prod"]):
            file = drs.folder / "dump"
            file.write_bytes(sample_bytes(20_000 * (day + number), seed=day * 10 + number))
            when = f"2026-01-0{day}T02:00Z" if stream == "kafka/prod" else "now"
            drs.run("push", stream, "--file", file, "--time", when)
    return drs


def forms(drs, name):
    return [word for form in ("html", "xml", "json") for word in ("--report", drs.folder / f"{name}.{form}")]


@pytest.mark.local_only("changes files of the repository")
def test_a_good_night_and_a_bad_one(nights, browser):
    drs = nights
    good = drs.folder / "good.html"
    drs.run("status", *forms(drs, "good"))
    page = page_of(good)
    assert page.texts["h1"] == ["good · drstream status · exit 0"]
    assert not page.has("h2", "What is wrong") and page.has("dd", str(drs.path))
    assert len(page.texts["figcaption"]) == 3 and page.has("figcaption", "kafka/prod")
    assert suite_of(drs.folder / "good.xml") == (set(), {"drstream status", "pg/app", "pg/globals", "kafka/prod",
                                                        "no pack is marked as damaged"})
    report = json.loads((drs.folder / "good.json").read_text())
    assert_valid(report)
    assert_valid(report["result"])
    assert [len(stream["size_history"]) for stream in report["result"]["streams"]] == [5, 5, 5]
    seen = Page(browser(good, "--dump-dom"))
    assert seen.texts["h1"] == page.texts["h1"] and len(seen.texts["svg"]) == len(page.texts["svg"]) == 5
    text, sheets = printed(browser, good)
    assert "kafka/prod" in text and f"Page {sheets} of {sheets}" in text and sheets <= 3
    assert words_outside(good) == []

    late = drs.folder / "late.html"
    drs.run("status", "--newest-within", "25h", *forms(drs, "late"), expect=15)
    page = page_of(late)
    assert page.texts["h1"] == ["bad · drstream status · exit 15"]
    assert page.has("li", "kafka/prod: the newest good snapshot is") and page.has("dt", "What to do next")
    assert page.texts["td"][0] == "kafka/prod", "what is wrong stands first in the table"
    assert suite_of(drs.folder / "late.xml")[0] == {"drstream status", "kafka/prod"}


@pytest.mark.local_only("changes files of the repository")
def test_rot_is_named_with_what_it_hits(nights, browser):
    drs = nights
    pack = rot(drs)
    drs.run("verify", "--read-data", *forms(drs, "verify"), expect=4)
    page = page_of(drs.folder / "verify.html")
    assert page.texts["h1"] == ["bad · drstream verify · exit 4"]
    assert page.has("li", f"damage: {pack}: ") and page.has("td", pack)
    assert page.has("h2", "Damaged snapshots") and page.has("p", "of the stored data was read and checked")
    failed, passed = suite_of(drs.folder / "verify.xml")
    assert {"drstream verify", f"damage: {pack}"} < failed and "nothing was deleted" in passed
    text, sheets = printed(browser, drs.folder / "verify.html")
    assert sheets <= 4 and "What to do next" in text and words_outside(drs.folder / "verify.html") == []
    drs.run("scrub", "--read-only", *forms(drs, "scrub"), expect=4)
    assert page_of(drs.folder / "scrub.html").has("p", "objects with")
    drs.run("status", *forms(drs, "status"), expect=4)
    assert page_of(drs.folder / "status.html").has("li", "1 pack is marked as damaged: ")
    assert suite_of(drs.folder / "status.xml")[0] == {"drstream status", "no pack is marked as damaged"}


def test_a_run_that_fails_leaves_evidence_too(drs):
    page = drs.folder / "push.html"
    producer = ["sh", "-c", "echo '<b>' >&2; exit 7"]
    failed = drs.run("push", "pg/app", *forms(drs, "push"), "--exec", "--", *producer, expect=3)
    seen = page_of(page)
    assert seen.texts["h1"] == ["bad · drstream push · exit 3"]
    message = re.search("error: (.*)", failed.err).group(1)
    assert seen.has("dd", message) and seen.has("dd", "no snapshot was made") and seen.has("dt", "What to do next")
    report = json.loads((drs.folder / "push.json").read_text())
    assert_valid(report)
    assert_valid(report["failure"])
    assert "result" not in report
    assert suite_of(drs.folder / "push.xml") == ({"drstream push"}, set())
    before = page.read_bytes()
    drs.run("push", "pg/app", *forms(drs, "push"), "--exec", "--", "echo", "a dump")
    assert page_of(page).texts["h1"] == ["good · drstream push · exit 0"] and page.read_bytes() != before
    assert page.stat().st_mode & 0o777 == 0o644
    assert sorted(one.name for one in drs.folder.glob("push.*")) == ["push.html", "push.json", "push.xml"]
    config = drs.folder / "config.toml"
    config.write_text("nonsense = 1\n")
    config.chmod(0o600)
    drs.run("verify", "--config", config, "--report", page, expect=2)
    assert page_of(page).texts["h1"] == ["bad · drstream verify · exit 2"]


def test_other_names_are_refused_before_the_work_and_a_file_that_cannot_be_written_is_a_warning(drs):
    good = drs.folder / "good.html"
    refused = drs.run("push", "pg/app", "--report", good, "--report", "x.pdf", "--exec", "--", "echo", "a", expect=2)
    assert "accepted are .html, .json and .xml" in refused.err and not good.exists()
    assert drs.json("list")["snapshots"] == []
    pushed = drs.run("push", "pg/app", "--report", "/nowhere/a.html", "--report", good, "--exec", "--", "echo", "a")
    assert "a report was not written: " in pushed.err and "/nowhere/a.html" in pushed.err and good.exists()


def test_a_report_and_metrics_never_replace_what_the_run_reads_or_makes(drs):
    drs.push("pg/app", b"a dump")
    folder = drs.folder
    source, key, out, holes = (folder / name for name in ("source.json", "key.json", "out.json", "holes.json"))
    source.write_bytes(b"the source")
    key.write_text(drs.key)
    key.chmod(0o600)
    (folder / "link.json").hardlink_to(source)
    (folder / "here").symlink_to(folder)
    runs = [
        ["pull", "pg/app", "--output", out, "--report", out],
        ["pull", "pg/app", "--output", out, "--report", folder / "here" / "out.json"],
        ["pull", "pg/app", "--output", folder / "all", "--allow-holes", "--holes", holes, "--report", holes],
        ["push", "new", "--file", source, "--report", source],
        ["push", "new", "--file", source, "--report", folder / "link.json"],
        ["verify", "--key-file", key, "--report", key],
        ["verify", "--report", folder / "twice.json", "--report", folder / "here" / "twice.json"],
    ]
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for words in runs:
        refused = drs.run(*words, expect=2)
        assert "are one file" in refused.err and "give it a file of its own" in refused.err, words
    prom = folder / "source.prom"
    for words in (["push", "new", "--file", prom], ["status", "--config", prom], ["verify", "--key-file", prom],
                  ["pull", "pg/app", "-o", prom, "--force"]):
        prom.write_bytes(b"the source")
        prom.chmod(0o600)
        assert "are one file" in drs.run(*words, "--metrics", prom, expect=2).err, words
        assert prom.read_bytes() == b"the source"
    prom.unlink()
    with (folder / "shell.json").open("wb") as stdout:
        done = subprocess.run(drs.command("pull", "pg/app", "--report", folder / "shell.json"), stdout=stdout,
                              stderr=subprocess.PIPE, env=drs.environment(), check=False, timeout=60)  # fmt: skip
    assert done.returncode == 2 and b"--report and stdout are one file" in done.stderr
    after = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    after.pop(folder / "shell.json")
    assert after == before and [snapshot["stream"] for snapshot in drs.snapshots()] == ["pg/app"]


def test_a_key_or_credentials_in_the_place_of_the_repository_reach_no_file(drs):
    report, prom = drs.folder / "report.json", drs.folder / "run.prom"
    for place, seen in {
        drs.key: "(64 hex digits, not shown)",
        "s3://AKIAEXAMPLE:do/not+show@bucket/drs": "s3://[credentials]@bucket/drs",
    }.items():
        failed = drs.run("push", "pg/app", "-r", place, "--report", report, "--metrics", prom, expect=(2, 10))
        for text in (report.read_text(), prom.read_text(), failed.err):
            assert place not in text and "do/not" not in text and drs.key not in text
        assert f'repository="{seen}"' in prom.read_text() and json.loads(report.read_text())["place"] == seen


def test_every_command_that_works_on_data_reports(drs):
    copy = drs.folder / "copy"
    commands = [
        ["push", "pg/app", "--exec", "--", "echo", "a dump"],
        ["pull", "pg/app", "-o", drs.folder / "out"],
        ["verify"],
        ["scrub"],
        ["status"],
        ["forget", "--keep-last", "1"],
        ["prune", "--dry-run"],
    ]
    drs.run("init", "-r", copy)
    commands.append(["copy", "--from-repository", drs.path, "-r", copy])
    for words in commands:
        mark = words.index("--exec") if "--exec" in words else len(words)
        if words[0] == "copy":
            key = drs.folder / "key"
            key.write_text(drs.key)
            key.chmod(0o600)
            words = [*words, "--from-key-file", key]
            mark = len(words)
        drs.run(*words[:mark], *forms(drs, words[0]), *words[mark:])
        page = page_of(drs.folder / f"{words[0]}.html")
        assert page.texts["h1"][0].endswith(f"· drstream {words[0]} · exit 0"), page.texts["h1"]
        assert suite_of(drs.folder / f"{words[0]}.xml")[0] == set()
        report = json.loads((drs.folder / f"{words[0]}.json").read_text())
        assert_valid(report)
        assert_valid(report["result"])
        assert report["place"] == str(copy if words[0] == "copy" else drs.path)


def test_archives_of_topics_and_their_restores_report(drs, kafka):
    archives, topic = Archives(drs, kafka), f"report-{time.monotonic_ns()}"
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 1, [Message(b"key", b"value %d" % number) for number in range(50)])
    for words in (["archive", "prod", "--topics", topic], ["restore", "prod", "--rename", "{topic}.restored"]):
        drs.run(*archives.arguments(*words), *forms(drs, words[0]))
        page = page_of(drs.folder / f"{words[0]}.html")
        assert page.texts["h1"] == [f"good · drstream kafka {words[0]} · exit 0"] and page.has("td", topic)
        assert suite_of(drs.folder / f"{words[0]}.xml") == (set(), {f"drstream kafka {words[0]}"})
        assert_valid(json.loads((drs.folder / f"{words[0]}.json").read_text()))
    drs.run(*archives.arguments("restore", "prod"), *forms(drs, "restore"), expect=2)
    assert page_of(drs.folder / "restore.html").has("dd", "nothing was written")


def test_a_push_to_several_repositories_names_each(drs):
    other = drs.folder / "other"
    drs.run("init", "-r", other)
    push = ["push", "pg/app", "--also", other, "--memory", "256MiB"]
    drs.run(*push, *forms(drs, "both"), "--exec", "--", "echo", "a dump")
    assert suite_of(drs.folder / "both.xml") == (set(), {"drstream push", str(drs.path), str(other)})
    shutil.rmtree(other / "packs")
    (other / "packs").write_bytes(b"no folder")
    failed = drs.run(*push, *forms(drs, "one"), "--exec", "--", "echo", "another", expect=None)
    assert failed.code not in (0, 2)
    page = page_of(drs.folder / "one.html")
    assert page.texts["h1"] == [f"bad · drstream push · exit {failed.code}"] and page.has("td", str(other))
    assert suite_of(drs.folder / "one.xml") == ({"drstream push", str(other)}, {str(drs.path)})


def test_a_run_that_is_stopped_says_so(drs):
    ready = drs.folder / "ready"
    producer = ["sh", "-c", f"echo; touch {ready}; sleep 60"]
    push = drs.start("push", "pg/app", *forms(drs, "push"), "--exec", "--", *producer)
    while not ready.exists():
        assert push.poll() is None
        time.sleep(0.01)
    push.send_signal(signal.SIGTERM)
    push.communicate(timeout=60)
    assert push.returncode == 143
    page = page_of(drs.folder / "push.html")
    assert page.texts["h1"] == ["bad · drstream push · exit 143"] and page.has("p", "Stopped by signal 15.")


def test_marked_packs_and_unproven_streams_name_what_comes_next(drs):
    drs.push("pg/app", sample_bytes(300_000))
    drs.flip(drs.largest_pack(), 200)
    drs.run("scrub", expect=4)
    drs.run("status", *forms(drs, "marked"), expect=4)
    page = page_of(drs.folder / "marked.html")
    assert page.has("li", "1 pack is marked as damaged") and page.has("dd", "`drstream verify` names the affected streams")
    assert page.has("dd", "`drstream repair packs` heals") and not page.has("p", "below")
    assert suite_of(drs.folder / "marked.xml")[0] == {"drstream status", "no pack is marked as damaged"}
    drs.flip(drs.largest_pack(), 200)
    drs.run("scrub")
    time.sleep(0.1)
    drs.run("status", "--verified-within", "1ms", *forms(drs, "unproven"), expect=15)
    page = page_of(drs.folder / "unproven.html")
    assert page.has("p", "The proof that what is stored is intact is too old") and page.has("p", "--budget")
    assert not page.has("p", "the job that pushes")
    assert suite_of(drs.folder / "unproven.xml")[0] == {"drstream status", "pg/app"}


def test_holes_and_packs_that_are_lost_are_listed(drs):
    drs.push("pg/app", sample_bytes(300_000))
    pack = drs.largest_pack()
    drs.flip(pack, 200)
    drs.run("pull", "pg/app", "-o", drs.folder / "out", "--allow-holes", *forms(drs, "holes"), expect=8)
    [hole] = json.loads((drs.folder / "holes.json").read_text())["result"]["holes"]
    name = f"hole: bytes {hole['offset_bytes']} to {hole['offset_bytes'] + hole['bytes']} of the stream"
    assert hole["object"] == pack and page_of(drs.folder / "holes.html").has("td", pack)
    assert page_of(drs.folder / "holes.html").has("li", name)
    assert suite_of(drs.folder / "holes.xml")[0] == {"drstream pull", name}
    drs.run("scrub", expect=4)
    drs.run("repair", "packs", *forms(drs, "repair"), expect=4)
    page = page_of(drs.folder / "repair.html")
    assert page.has("td", pack) and page.has("p", "--from-repository PLACE")
    [snapshot] = drs.json("repair", "packs", expect=4)["damaged_snapshots"]
    assert suite_of(drs.folder / "repair.xml")[0] == {"drstream repair packs", pack, f"snapshot {snapshot['id']} of pg/app"}


def test_an_answer_to_nagios_has_a_report_of_its_own(drs):
    drs.run("push", "pg/old", "--time", "2020-01-01", "--exec", "--", "echo", "a dump")
    drs.run("status", "--format", "nagios", "--newest-within", "1d", *forms(drs, "status"), expect=2)
    assert page_of(drs.folder / "status.html").texts["h1"] == ["bad · drstream status · exit 15"]
    drs.run("status", "--format", "nagios", "-r", drs.folder / "nowhere", *forms(drs, "status"), expect=3)
    assert json.loads((drs.folder / "status.json").read_text())["failure"]["code"] == "no-repository"


def test_500_streams_stay_readable(nights, browser):
    drs = nights
    config = drs.folder / "config.toml"
    config.write_text("".join(f'[[expect]]\nstreams = "stream/{number:03}/{"n" * 60}"\nnewest-within = "1d"\n'
                              for number in range(500)))  # fmt: skip
    config.chmod(0o600)
    path = drs.folder / "many.html"
    drs.run("status", "--config", config, *forms(drs, "many"), expect=15)
    seen = Page(browser(path, "--dump-dom"))
    assert sum("stream/" in text for text in seen.texts["td"]) == 500
    assert path.stat().st_size < 1_000_000
    text, sheets = printed(browser, path)
    assert sheets < 45 and "stream/499/" in text and words_outside(path) == []


def test_hostile_texts_stay_text(drs, browser):
    name = "<script>document.title='taken'<\\script>\"'&\x1b[2J\u202e".encode() + b"\xff" + b"x" * 150
    producer = drs.folder / name.decode(errors="surrogateescape")
    producer.write_text("#!/bin/sh\nexit 1\n")
    producer.chmod(0o700)
    drs.run("push", "pg/app", *forms(drs, "hostile"), "--exec", "--", producer, expect=3)
    page, junit = drs.folder / "hostile.html", drs.folder / "hostile.xml"
    seen = Page(browser(page, "--dump-dom"))
    assert "script" not in seen.texts and seen.texts["title"][0].startswith("bad: drstream push")
    assert seen.has("p", "<script>document.title='taken'<\\script>\"'&\\x1b[2J\\u202e\\xffxxx")
    [error] = ElementTree.parse(junit).getroot().iter("error")
    assert "<script>document.title='taken'<\\script>\"'&\\x1b[2J\\u202e\\xffxxx" in error.text
    for path in (page, junit):
        raw = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", raw) and "<script" not in raw
    printed(browser, page)
    assert words_outside(page) == []
