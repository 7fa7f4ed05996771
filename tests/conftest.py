"""What all Python tests share: what to do about a program or service that is not there, and the services themselves.

    DRSTREAM_TEST_SERVICES=required  what this machine lacks fails a test instead of skipping it
"""

import os

import pytest

pytest_plugins = ["services.fixtures"]


def pytest_configure(config):
    # One place for the decision, so that a test says only what it misses.
    config.services_required = os.environ.get("DRSTREAM_TEST_SERVICES") == "required"


@pytest.fixture(scope="session")
def missing(request):
    """missing(why): skips, or fails where services are required. For programs and services that CI has to bring."""

    def give_up(why):
        if request.config.services_required:
            pytest.fail(f"{why} (DRSTREAM_TEST_SERVICES=required)")
        pytest.skip(why)

    return give_up
