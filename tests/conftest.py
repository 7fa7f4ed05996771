"""What all Python tests share: what to do about a program or service that is not there, the services themselves, and how
a long run is divided.

    DRSTREAM_TEST_SERVICES=required  what this machine lacks fails a test instead of skipping it
    --part I/N                       a part of the run, from 1/N to N/N; all parts together are the whole run
    --seed N                         of all that is random; without it another in each run, which is printed

Both options reach tests in other languages as DRSTREAM_TEST_PART and DRSTREAM_TEST_SEED, which may be set instead.

A test of `kafka` that is marked every_kafka runs with each version of Kafka if DRSTREAM_TEST_FULL=1.
"""

import os
import random
import re

import pytest

pytest_plugins = ["services.fixtures"]


def pytest_addoption(parser):
    parser.addoption("--part", metavar="I/N", default=os.environ.get("DRSTREAM_TEST_PART", "1/1"),
                     help="run only the Ith of N parts")
    parser.addoption("--seed", metavar="N", type=int, default=os.environ.get("DRSTREAM_TEST_SEED"),
                     help="of all that is random")


def pytest_configure(config):
    config.addinivalue_line("markers", "every_kafka: the test runs with each version of Kafka, in campaigns")
    # One place for the decision, so that a test says only what it misses.
    config.services_required = os.environ.get("DRSTREAM_TEST_SERVICES") == "required"
    text = config.getoption("--part")
    numbers = re.fullmatch(r"(\d+)/(\d+)", text)
    config.part = tuple(map(int, numbers.groups())) if numbers else (0, 0)
    if not 1 <= config.part[0] <= config.part[1]:
        raise pytest.UsageError(f"--part {text}: say which of how many, as in 2/8")
    os.environ["DRSTREAM_TEST_PART"] = text
    config.seed = config.getoption("--seed")
    if config.seed is None:
        config.seed = random.randrange(10**9)
        config.option.seed = config.seed  # for the processes of --numprocesses
    else:
        os.environ["DRSTREAM_TEST_SEED"] = str(config.seed)


def pytest_report_header(config):
    return f"drstream: --seed {config.seed}, --part {config.getoption('--part')}"


def pytest_generate_tests(metafunc):
    full = os.environ.get("DRSTREAM_TEST_FULL") == "1"
    if full and "kafka" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_kafka"):
        metafunc.parametrize("kafka", ["kafka_3", "kafka_4"], indirect=True)


def pytest_collection_modifyitems(config, items):
    """A test that divides its trials (`share`) runs in every part; of the others, each runs in one."""
    part, parts = config.part
    undivided = [item for item in items if "share" not in item.fixturenames]
    elsewhere = set(undivided) - set(undivided[part - 1 :: parts])
    config.hook.pytest_deselected(items=[item for item in items if item in elsewhere])
    items[:] = [item for item in items if item not in elsewhere]


@pytest.fixture(scope="session")
def share(request):
    """share(trials): those of this part."""
    part, parts = request.config.part
    return lambda trials: list(trials)[part - 1 :: parts]


@pytest.fixture(scope="session")
def seed(request):
    return request.config.seed


@pytest.fixture
def dice(request):
    """A random.Random of this run, this part and this test."""
    seed = f"{request.config.seed}, part {request.config.getoption('--part')}, {request.node.name}"
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def missing(request):
    """missing(why): skips, or fails where services are required. For programs and services that CI has to bring."""

    def give_up(why):
        if request.config.services_required:
            pytest.fail(f"{why} (DRSTREAM_TEST_SERVICES=required)")
        pytest.skip(why)

    return give_up
