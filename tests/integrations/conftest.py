"""A connection to the stand-in, for the pages and the commands of the integrations."""

from __future__ import annotations

from datetime import date

import pytest

from integrations.connecting import connect_crm
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.registry import open_crm
from integrations.sandbox import Sandbox, build_world
from tests.factories import make_company


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(build_world(today=date(2026, 11, 24), deals=130)) as running:
        yield running


@pytest.fixture
def crm(db, sandbox):
    make_company()
    sandbox.faults.clear()
    return connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)


@pytest.fixture
def imported(crm):
    carry_out(
        claim(start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False).pk),
        open_crm=open_crm,
    )
    return crm
