"""The directory is asked before an invoice is issued and before it leaves; it holds nothing up."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from integrations import tasks
from invoices.models import ClientRoute, Company
from tests.factories import make_client, make_draft
from tests.transmitted import BUYER, make_transmission

LINES = "/directory-service/v1/directory-line/search"


@pytest.fixture
def draft(connection):
    client = make_client(siren=BUYER)
    found = make_draft(client=client, on=timezone.localdate())
    Company.objects.update(einvoicing_from=timezone.localdate())
    OrmQ.objects.all().delete()
    return found


def dialog(client, draft):
    return client.get(reverse("invoices:issue", args=[draft.pk])).text


def test_asked_when_somebody_is_about_to_issue_and_not_again_that_day(
    platform, draft, clerk_client
):
    text = dialog(clerk_client, draft)
    # Nobody waits for a directory: it is the worker's to ask.
    assert platform.count(LINES) == 0
    assert [row.func() for row in OrmQ.objects.all()] == ["integrations.tasks.ask_directory_about"]
    assert "has to go through an approved platform" not in text
    assert tasks.ask_directory_about(draft.client_id)
    row = ClientRoute.objects.get()
    assert (row.found, row.offered) == (True, [BUYER])
    assert timezone.localdate(row.asked_at) == timezone.localdate()
    dialog(clerk_client, draft)
    assert OrmQ.objects.count() == 1
    assert not tasks.ask_directory_about(draft.client_id)
    assert platform.count(LINES) == 1


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ([], "It can be issued, but does not go to the platform by itself then."),
        ([f"{BUYER}_COMPTA"], "Take the new one first"),
    ],
)
def test_what_the_directory_does_not_name_is_said_before_a_number_is_taken(
    platform, draft, clerk_client, addresses, words
):
    platform.world.enter(BUYER, addresses)
    tasks.ask_directory_about(draft.client_id)
    assert words in dialog(clerk_client, draft)


def test_asked_before_a_file_leaves_and_in_trouble_it_leaves_all_the_same(platform, connection):
    first, second = make_transmission(), make_transmission(client=make_client(siren=BUYER))
    platform.inject("500", path=LINES)
    assert tasks.send_to_platform() == 2
    # One try: the second client was not asked after the first answer failed.
    assert platform.count(LINES) == 1
    assert {first.invoice.client_id, second.invoice.client_id} >= set(
        ClientRoute.objects.filter(found=True).values_list("client", flat=True)
    )
    third = make_transmission(client=make_client(siren=BUYER))
    assert tasks.send_to_platform() == 1
    row = ClientRoute.objects.get(client=third.invoice.client_id)
    assert (row.found, row.trouble) == (True, None)
