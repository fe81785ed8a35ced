"""What the bank kept of a payment: the invoice is settled by the whole, the charges are a cost."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from invoices.accounting.books import verify
from invoices.models import Payment, database_rules
from invoices.payments.reversing import reverse_payment
from invoices.payments.views.list import COLUMNS
from tests.factories import make_client, make_invoice
from tests.invoices.payments.test_entering import NEW, post, recorded, told, undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db):
    return make_client(name="Garage Jaouen")


@pytest.fixture
def two(client):
    return [make_invoice(client=client, total_minor=minor) for minor in (100_00, 50_00)]


def test_bank_charges_settle_the_invoice_whole_and_are_kept_as_a_figure_of_their_own(
    clerk_client, client, two
):
    first, _second = two
    answer = post(clerk_client, client, amount="97,50", charges="2,50", spread="1")
    assert answer.context["rows"][0]["field"].value() == "100.00"
    assert answer.context["left_minor"] == 0
    assert ("€2.50 are kept as bank charges" in dict(told(answer))) is True
    shown = answer.context["rows"][0]["was"]
    parts = {f"part-{first.pk}": shown, f"was-part-{first.pk}": shown}
    answer = post(clerk_client, client, amount="97.50", charges="2.50", **parts)
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.charges_minor) == (100_00, 2_50)
    assert payment.on_bank_line == Money("97.50", "EUR")
    first.refresh_from_db()
    assert (first.status, first.paid_minor) == ("settled", 100_00)
    page = clerk_client.get(answer["Location"])
    assert "€97.50" in page.text and "€2.50" in page.text
    # Found by what the bank's line shows, as by what was paid.
    for text in ("97.50", "100"):
        assert "VIR 4711" in clerk_client.get(reverse("reports:search"), {"q": text}).text
    undo(clerk_client, page, payment)
    mirror = Payment.objects.get(reverses=payment)
    assert (mirror.amount_minor, mirror.charges_minor) == (-100_00, -2_50)
    again = clerk_client.get(NEW, {"again": payment.pk})
    assert again.context["form"]["amount"].value() == "97.50"
    assert again.context["form"]["charges"].value() == "2.50"
    assert verify() == []


def test_the_same_line_with_and_without_its_charges_is_asked_about(clerk_client, client):
    post(clerk_client, client, reference="", amount="97.50", charges="2.50")
    assert "Is this the same money?" in post(clerk_client, client, reference="", amount="97.5").text
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("charges", "said"),
    [("-1", "At least 0"), ("abc", "is not a number"), ("120.01", "more than arrived"),
     ("0", ""), ("", "")],
)  # fmt: skip
def test_charges_are_a_part_of_what_was_paid(clerk_client, client, charges, said):
    answer = post(clerk_client, client, charges=charges)
    assert answer.status_code == (422 if said else 302)
    assert said in answer.text
    assert Payment.objects.count() == (0 if said else 1)


def test_a_little_that_is_missing_leads_to_the_field_of_the_charges(clerk_client, client, two):
    few, many = (
        post(clerk_client, client, amount=amount, spread="1").context["effects"][0].field
        for amount in ("98.50", "90")
    )
    assert (few, many) == ("id_charges", "")


def test_books_whose_charges_are_not_mirrored_are_broken(clerk_client, client, two):
    payment, page = recorded(clerk_client, client, two[0])
    undo(clerk_client, page, payment)
    with pytest.raises(IntegrityError, match="payment_content_is_frozen"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(charges_minor=1)
    database_rules.remove(connection)
    Payment.objects.filter(pk=payment.pk).update(charges_minor=1)
    assert any("does not mirror" in str(each) for each in verify())


def test_the_list_has_the_charges_as_its_file_has_where_a_bank_kept_some(clerk_client, client):
    def heads(**params):
        page = clerk_client.get(reverse("invoices:payments"), params).text
        return page[page.index("<thead>") : page.index("</thead>")], page

    post(clerk_client, client, reference="VIR 1", amount="40")
    assert "Bank charges" not in heads()[0]
    post(clerk_client, client, reference="VIR 2", amount="97.50", charges="2.50")
    head, page = heads()
    assert page.count("€2.50</td>") == 2  # its row, and the foot
    # A column of the file that the list has not is a figure that nobody finds on the page.
    # The currency stands at each amount, the reversal under the client.
    elsewhere = ("currency", "reversed")
    columns = [str(column.label) for column in COLUMNS if column.key not in elsewhere]
    assert [label for label in columns if label not in head] == []
    assert "Bank charges" not in heads(q="VIR 1")[0]


def test_a_reversal_is_called_so_in_the_file_too(clerk_client, client):
    post(clerk_client, client, amount="40")
    reverse_payment(
        payment_id=Payment.objects.get().pk, reason="bounced", on=timezone.localdate(), by=None
    )
    file = clerk_client.get(reverse("invoices:payments-csv"))
    text = b"".join(file.streaming_content).decode()
    assert "Reversal" in text and "Bank transfer" in text
