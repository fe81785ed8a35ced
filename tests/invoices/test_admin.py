"""The admin site reads the books and changes nothing in them."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from billing_portal.accounts.models import User
from tests.factories import make_issued

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser_client(db):
    person = User.objects.create_superuser("root@kerlann.example", "correct horse")
    browser = Browser()
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


@pytest.mark.parametrize(
    "model",
    [
        "invoice",
        "payment",
        "document",
        "message",
        "numberseries",
        "numberpattern",
        "vatcheck",
    ],
)
def test_books_are_read_only_in_the_admin_site(superuser_client, model):
    invoice = make_issued()
    assert superuser_client.get(reverse(f"admin:invoices_{model}_changelist")).status_code == 200
    assert superuser_client.get(reverse(f"admin:invoices_{model}_add")).status_code == 403
    if model == "invoice":
        page = reverse("admin:invoices_invoice_change", args=[invoice.pk])
        assert invoice.number in superuser_client.get(page).text
        assert superuser_client.post(page, {"number": "X"}).status_code == 403
        gone = reverse("admin:invoices_invoice_delete", args=[invoice.pk])
        assert superuser_client.post(gone, {"post": "yes"}).status_code == 403


def test_the_bytes_of_a_document_are_not_written_out(superuser_client):
    document = make_issued().documents.get()
    page = superuser_client.get(reverse("admin:invoices_document_change", args=[document.pk]))
    assert document.sha256 in page.text
    assert "%PDF" not in page.text
