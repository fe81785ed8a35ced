"""From ticks in the list to the result, as a person of finance and the worker walk it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from invoices.bulk import beginning, carrying_out
from invoices.models import Batch, BatchItem, Invoice, Message
from tests.confirm import confirm, token_on
from tests.factories import make_client, make_company, make_draft, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(name, *args):
    return reverse(f"invoices:{name}", args=args)


@pytest.fixture
def rows():
    make_company()
    on = timezone.localdate()
    who = make_client(name="Verreries", billing_email="pay@client.example")
    good = [make_draft(client=who, on=on, title="Audit").pk for _ in range(2)]
    bare = make_draft(client=make_client(billing_email=""), on=on)
    Invoice.objects.filter(pk=bare.pk).update(recipients=[])
    return [*good, bare.pk]


def test_ticked_looked_at_confirmed_and_done_once(clerk_client, rows):
    listed = clerk_client.get(url("list"), {"state": "draft"})
    assert url("batch-new") in listed.text
    answer = clerk_client.post(url("batch-new"), {"act": "both", "ids": rows}, follow=True)
    batch = Batch.objects.get()
    text = answer.text
    assert "Nothing has happened yet" in text and "pay@client.example" in text
    year = timezone.localdate().year
    assert f"F-{year}-0001" in text and f"F-{year}-0002" in text and f"F-{year}-0003" not in text
    # What will not happen is named, with the field that mends it.
    assert f"{url('edit', rows[2])}#id_recipients" in text
    assert not Invoice.objects.issued().exists()
    key, token = new_key(), token_on(answer)
    for _twice in range(2):
        clerk_client.post(url("batch-start", batch.pk), {"once": key, "confirmed": token})
    page = clerk_client.get(url("batch", batch.pk))
    assert "0 of 2 done" in page.text
    asked = clerk_client.get(url("batch-progress", batch.pk), headers=HTMX)
    assert "0 of 2 done" in asked.text and "<html" not in asked.text
    carrying_out.go_on(batch.pk, today=timezone.localdate())
    asked = clerk_client.get(url("batch-progress", batch.pk), headers=HTMX)
    assert asked["HX-Redirect"] == url("batch", batch.pk)
    result = clerk_client.get(url("batch", batch.pk)).text
    assert f"F-{year}-0002" in result and "What was done" in result
    assert Invoice.objects.issued().count() == Message.objects.count() == 2
    alone = clerk_client.get(url("batch", batch.pk), {"show": "left_out"}).text
    assert "What was done" not in alone
    assert url("batch", batch.pk) in clerk_client.get(url("batches")).text


def test_all_of_a_filter_and_not_of_one_that_is_half_understood(clerk_client, rows):
    given = {"act": "issue", "all": "1", "query": "?state=draft&q=verreries"}
    clerk_client.post(url("batch-new"), given)
    assert sorted(BatchItem.objects.values_list("invoice", flat=True)) == rows[:2]
    odd = {**given, "query": "?state=draft&amount_min=abc"}
    answer = clerk_client.post(url("batch-new"), odd, follow=True)
    assert "Nothing was begun" in answer.text
    assert Batch.objects.count() == 1


def test_what_was_looked_through_again_meanwhile_is_not_begun(clerk_client, rows):
    clerk_client.post(url("batch-new"), {"act": "issue", "ids": rows})
    batch = Batch.objects.get()
    page = url("batch", batch.pk)
    token = token_on(clerk_client.get(page))
    Batch.objects.update(looked_at=timezone.now())
    answer = clerk_client.post(
        url("batch-start", batch.pk), {"once": new_key(), "confirmed": token}
    )
    assert answer.status_code == 422
    assert Batch.objects.get().state == Batch.State.READY
    confirm(clerk_client, url("batch-start", batch.pk), at=page)
    clerk_client.post(url("batch-stop", batch.pk))
    assert Batch.objects.get().state == Batch.State.STOPPED
    confirm(clerk_client, url("batch-resume", batch.pk), at=page)
    assert Batch.objects.get().state == Batch.State.RUNNING


def test_many_are_looked_through_by_the_worker(clerk_client, rows, monkeypatch):
    monkeypatch.setattr(beginning, "AT_ONCE", 1)
    answer = clerk_client.post(url("batch-new"), {"act": "issue", "ids": rows}, follow=True)
    assert "0 of 3 looked through" in answer.text
    assert carrying_out.sweep(timezone.localdate()) == 1
    assert Batch.objects.get().state == Batch.State.READY


def test_who_may_not_issue_begins_nothing(client, rows):
    client.force_login(make_user(role=User.Role.MANAGER))
    assert client.post(url("batch-new"), {"act": "issue", "ids": rows}).status_code == 403
    assert url("batch-new") not in client.get(url("list"), {"state": "draft"}).text
