"""How much of an invoice a person may give up, and where it goes in the ledger."""

from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from billing_portal.accounts.models import User
from invoices.models import Company, WriteOff
from invoices.payments.applying import PaymentRefused, write_off
from tests.confirm import confirm
from tests.factories import make_issued, make_user
from tests.invoices.accounting.bookkeeping import journal

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 25)


@pytest.fixture
def invoice():
    found = make_issued(on=ON)
    Company.objects.update(write_off_limit=10_00, write_off_limit_administrator=500_00)
    return found


def give_up(invoice, amount, by, **options):
    return write_off(
        invoice_id=invoice.pk, amount=Money(amount, "EUR"), reason="Gone", by=by, on=ON, **options
    )


def test_small_parts_count_together_and_beyond_it_the_page_says_who_may(invoice):
    clerk, boss = make_user(), make_user(role=User.Role.ADMINISTRATOR)
    give_up(invoice, "6", clerk)
    with pytest.raises(PaymentRefused, match=r"an administrator decides, up to €500\.00"):
        give_up(invoice, "4.01", clerk)
    give_up(invoice, "4", clerk)
    give_up(invoice, "490", boss)
    with pytest.raises(PaymentRefused, match="Even an administrator"):
        give_up(invoice, "0.01", boss)
    Company.objects.update(write_off_limit_administrator=None)
    give_up(invoice, "1", boss)
    invoice.refresh_from_db()
    assert invoice.written_off_minor == 501_00


def test_the_form_says_the_limit_and_asks_what_it_is(clerk_client, invoice):
    url = reverse("invoices:write-off", args=[invoice.pk])
    assert "at most €10.00 of one invoice" in clerk_client.get(url).text
    given = {"amount": "11", "cause": "bad_debt", "reason": "Insolvent"}
    answer = confirm(clerk_client, url, given)
    assert answer.status_code == 422
    assert "an administrator decides" in answer.text
    assert confirm(clerk_client, url, {**given, "amount": "10", "cause": ""}).status_code == 422
    confirm(clerk_client, url, {**given, "amount": "10"})
    assert WriteOff.objects.get().cause == "bad_debt"


@pytest.mark.parametrize(
    ("cause", "account"), [("bad_debt", "654000"), ("discount", "665000"), ("small", "658000")]
)
def test_the_cause_names_the_account_and_not_the_amount(invoice, cause, account):
    boss = make_user(role=User.Role.ADMINISTRATOR)
    give_up(invoice, "4.80", boss, cause=cause)
    entry = next(each for each in journal()[0] if "erte" in each.text or "Write-off" in each.text)
    assert account in [posting.account.number for posting in entry.postings]


def test_the_limits_are_set_on_the_page(admin_client, invoice):
    url = reverse("company:invoicing")
    assert "An accountant writes off at most" in admin_client.get(url).text
