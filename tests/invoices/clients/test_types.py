"""A client type stays on what was issued; merging two types is the one act that moves it."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from invoices.clients import types
from invoices.clients.forms.types import ClientTypeForm
from invoices.clients.types import ClientTypeRefused
from invoices.invoicing import crediting
from invoices.models import Client, ClientType, Invoice
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_issued

pytestmark = pytest.mark.django_db


def test_a_client_that_changes_its_type_takes_no_invoice_along():
    client = make_client(client_type=make_client_type("Mix"))
    before = make_issued(client=client)
    client.client_type = make_client_type("Key")
    client.save()
    after = make_issued(client=client)
    note = crediting.issue_credit_note(
        invoice_id=before.pk, reason="Wrong", by=None, on=date(2026, 11, 24)
    )
    names = Invoice.objects.in_bulk([before.pk, after.pk, note.pk])
    assert [names[pk].client_type.name for pk in (before.pk, after.pk, note.pk)] == [
        "Mix",
        "Key",
        "Mix",
    ]


def test_the_database_keeps_the_type_of_an_issued_invoice():
    invoice = make_invoice()
    other = make_client_type("Key")
    with pytest.raises(IntegrityError, match="keeps_its_client_type"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(client_type=other)


def test_merging_moves_clients_and_invoices_and_says_how_many():
    mix, key = make_client_type("Mix"), make_client_type("Key")
    client = make_client(client_type=mix)
    first, second = make_invoice(client=client), make_invoice(client=client)
    client.client_type = key
    client.save()
    assert types.merge(client_type_id=mix.pk, into_id=key.pk) == (0, 2)
    assert not ClientType.objects.filter(pk=mix.pk).exists()
    assert set(Invoice.objects.values_list("client_type_id", flat=True)) == {key.pk}
    assert Client.objects.get().client_type == key
    assert {first.pk, second.pk} == set(Invoice.objects.values_list("pk", flat=True))


def test_a_type_that_only_past_invoices_have_is_merged_not_deleted():
    mix = make_client_type("Mix")
    client = make_client(client_type=mix)
    make_invoice(client=client)
    client.client_type = make_client_type("Key")
    client.save()
    with pytest.raises(ClientTypeRefused, match="merge it"):
        types.delete(client_type_id=mix.pk)


def test_the_merge_page_says_what_moves(admin_client):
    make_company()
    mix = make_client_type("Mix")
    make_client_type("Key")
    client = make_client(client_type=mix)
    make_invoice(client=client)
    page = admin_client.get(f"/settings/client-types/{mix.pk}/").text
    assert "1 client" in page and "1 document" in page and "Past reports" in page


def test_a_name_that_a_colleague_takes_in_that_very_moment_is_told(admin_client, monkeypatch):
    is_valid = ClientTypeForm.is_valid

    def before_the_colleague(self):
        free = is_valid(self)
        make_client_type("Bank")
        return free

    monkeypatch.setattr(ClientTypeForm, "is_valid", before_the_colleague)
    entry = {"name": "bank", "mark": "none"}
    answer = admin_client.post(reverse("company:client_types"), entry)
    assert answer.status_code == 422
    assert "There is a client type bank already" in answer.text
