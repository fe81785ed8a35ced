"""Connecting and importing from the shell."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from integrations.connecting import connect_crm
from integrations.core.runs import claim, start_sync
from integrations.models import Connection, SyncRun
from invoices.models import Client
from tests.factories import make_company


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


def test_connect_and_sync_from_the_shell(db, sandbox, capsys):
    make_company()
    asked = {"base_url": sandbox.base_url, "api_token": sandbox.token}
    call_command("connect", "pipedrive", dry_run=True, **asked)
    assert "Would connect to Pipedrive: Kerlann Conseil." in capsys.readouterr().out
    assert not Connection.objects.exists()
    call_command("connect", "pipedrive", **asked)
    assert "Connected to Pipedrive: Kerlann Conseil." in capsys.readouterr().out
    call_command("sync", "pipedrive", full=True, dry_run=True)
    assert "Nothing was kept (dry run)." in capsys.readouterr().out
    assert not Client.objects.exists()
    call_command("sync", "pipedrive", full=True, format="json")
    told = json.loads(capsys.readouterr().out)
    assert told["created"] == SyncRun.objects.get().created > 300
    assert any("KRL" in row["reason"] for row in told["refusals"])
    call_command("sync", "pipedrive")
    assert "0 created, 0 updated" in capsys.readouterr().out


def test_the_shell_refuses_in_words(db, sandbox):
    with pytest.raises(CommandError, match="not connected yet"):
        call_command("sync", "pipedrive")
    with pytest.raises(CommandError, match="does not know this token"):
        call_command("connect", "pipedrive", base_url=sandbox.base_url, api_token="wrong-token")
    with pytest.raises(CommandError, match="Give --api-token"):
        call_command("connect", "pipedrive", base_url=sandbox.base_url)
    connection = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    claim(start_sync(connection_id=connection.pk, full=False, by=None, enqueue=False).pk)
    with pytest.raises(CommandError, match="running already"):
        call_command("sync", "pipedrive")


def test_a_run_that_fails_fails_the_command(crm, sandbox):
    sandbox.inject("401", path="/api/v2/deals")
    with pytest.raises(CommandError, match="API token"):
        call_command("sync", "pipedrive", full=True)
    sandbox.faults.clear()
