"""The page of connections says what those can do who may not change one."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations.models import Connection, FieldMapping

pytestmark = pytest.mark.django_db


@pytest.fixture
def paused(db):
    crm = Connection.objects.create(
        provider="pipedrive",
        base_url="https://127.0.0.1:9",
        api_token="secret-token",
        state="paused",
        pause={"code": "http.token", "values": {}},
    )
    FieldMapping.objects.create(
        connection=crm, target="client_type", unknown={"999": {"label": "Guild", "count": 1}}
    )
    return crm


def test_who_may_connect_again_gets_the_button_and_others_are_told_whom_to_ask(
    admin_client, clerk_client, paused
):
    for browser, may in ((admin_client, True), (clerk_client, False)):
        page = browser.get(reverse("integrations:index")).text
        assert ("Connect again" in page) == may
        assert ("Only an administrator can connect again: ask one." in page) != may
        assert ("choose what the options mean" in page) == may
        assert ("an administrator chooses what the options mean" in page) != may
