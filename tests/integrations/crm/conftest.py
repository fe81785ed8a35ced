"""A stand-in of the CRM over HTTP, and the connection to it."""

from __future__ import annotations

import pytest

from integrations.connecting import connect_crm
from integrations.sandbox import Sandbox, build_world
from tests.factories import make_company
from tests.integrations.crm.doing import TODAY


@pytest.fixture(autouse=True)
def _demo(settings, monkeypatch):
    settings.DEMO = True
    # Waiting between attempts is tested in test_http; here it would only cost time.
    monkeypatch.setattr("integrations.core.runs.time.sleep", lambda seconds: None)


@pytest.fixture
def sandbox():
    with Sandbox(build_world(today=TODAY, deals=150)) as running:
        yield running


@pytest.fixture
def crm(db, sandbox):
    make_company()
    connection = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    sandbox.reset_counts()
    return connection
