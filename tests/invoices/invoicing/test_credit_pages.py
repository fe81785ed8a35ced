import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.models import Invoice, Message
from tests.confirm import confirm
from tests.factories import make_draft, make_invoice, make_issued

HTMX = {"HX-Request": "true"}


def issued(**fields):
    return make_issued(on=timezone.localdate(), **fields)


def credit_url(invoice):
    return reverse("invoices:credit", args=[invoice.pk])


def credit_of(invoice):
    return Invoice.objects.get(corrects=invoice)


def test_the_page_shows_what_can_be_credited_and_the_number_to_come(clerk_client):
    invoice = issued(lines=[(2, "500.00"), (1, "100.00", "5.5")])
    text = clerk_client.get(credit_url(invoice)).text
    assert "€1,305.50 can still be credited" in text
    assert f"Issue A-{timezone.localdate().year}-0001" in text
    assert "Service 2" in text


def test_all_of_it_is_credited_and_both_pages_link_to_each_other(clerk_client):
    invoice = issued()
    given = {
        "code": "error",
        "mode": "whole",
        "reason": "Cancelled by agreement",
        "once": new_key(),
    }
    answer = confirm(clerk_client, credit_url(invoice), given)
    note = credit_of(invoice)
    note_page = reverse("invoices:detail", args=[note.pk])
    assert (answer.status_code, answer["Location"]) == (303, note_page)
    invoice.refresh_from_db()
    assert invoice.outstanding_minor == 0
    assert reverse("invoices:detail", args=[invoice.pk]) in clerk_client.get(note_page).text
    text = clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    assert note_page in text
    assert "Cancelled by agreement" in text
    assert not Message.objects.exists()


def test_a_double_click_makes_one_credit_note(clerk_client):
    invoice = issued()
    given = {
        "code": "error",
        "mode": "amount",
        "amount": "100",
        "reason": "Discount",
        "once": new_key(),
    }
    first = confirm(clerk_client, credit_url(invoice), given, headers=HTMX)
    second = confirm(clerk_client, credit_url(invoice), given, headers=HTMX)
    assert first["HX-Redirect"] == second["HX-Redirect"]
    assert credit_of(invoice).total_minor == 100_00


def test_some_lines_are_credited_by_quantity_or_by_net(clerk_client):
    invoice = issued(lines=[(4, "250.00"), (1, "300.00")])
    first, second = invoice.lines.all()
    given = {
        "code": "error",
        "mode": "lines",
        "reason": "One day less",
        "once": new_key(),
        f"quantity-{first.pk}": "1",
        f"line-{second.pk}": "50,50",
    }
    preview = clerk_client.post(reverse("invoices:credit-totals", args=[invoice.pk]), given).text
    assert "€360.60" in preview
    confirm(clerk_client, credit_url(invoice), given)
    note = credit_of(invoice)
    assert note.net_minor == 300_50
    assert note.total_minor == 360_60


def test_credit_and_send(clerk_client):
    invoice = issued()
    given = {
        "code": "error",
        "mode": "whole",
        "reason": "Wrong",
        "recipients": "a@client.example",
        "send": "1",
        "once": new_key(),
    }
    confirm(clerk_client, credit_url(invoice), given)
    assert Message.objects.get().invoice == credit_of(invoice)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": " "}, "Say why: it stands on the credit note."),
        ({"code": "error", "mode": "amount"}, "Give an amount above zero."),
        ({"code": "error", "mode": "amount", "amount": "5000"}, "has €1,200.00 left to credit."),
        ({"code": "error", "mode": "amount", "amount": "-5"}, "Give an amount above zero."),
        ({"code": "error", "mode": "amount", "amount": "1.001"}, "At most 2 decimals here."),
        ({"code": "error", "mode": "lines"}, "Nothing to credit"),
        ({"code": "error", "mode": "lines", "quantity-{line}": "7"}, "Between 0 and 1."),
        ({"code": "error", "mode": "lines", "quantity-{line}": "some"}, "“some” is not a number."),
        ({"code": "error", "mode": "lines", "line-{line}": "0.001"}, "At most 2 decimals here."),
        ({"code": "error", "mode": "lines", "line-{line}": "5000"}, "left to credit"),
        ({"code": "error", "mode": "everything"}, "Select a valid choice"),
        ({"recipients": "nobody", "send": "1"}, "is not an email address"),
    ],
)
def test_what_cannot_be_credited_says_why_and_keeps_what_was_typed(clerk_client, fields, sentence):
    invoice = issued()
    line = invoice.lines.get().pk
    given = {"code": "error", "mode": "whole", "reason": "Typed reason", "once": new_key()}
    given |= {name.format(line=line): value for name, value in fields.items()}
    answer = confirm(clerk_client, credit_url(invoice), given, headers=HTMX)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert fields.get("reason") or "Typed reason" in answer.text
    assert not Invoice.objects.filter(corrects=invoice).exists()
    live = clerk_client.post(reverse("invoices:credit-totals", args=[invoice.pk]), given)
    assert live.status_code == 200


def test_more_than_is_left_after_a_first_credit_is_refused(clerk_client):
    invoice = issued()
    given = {
        "code": "error",
        "mode": "amount",
        "amount": "1000",
        "reason": "First",
        "once": new_key(),
    }
    confirm(clerk_client, credit_url(invoice), given)
    again = confirm(clerk_client, credit_url(invoice), {**given, "once": new_key()}, headers=HTMX)
    assert again.status_code == 422
    assert "has €200.00 left to credit." in again.text


def test_an_invoice_that_is_credited_in_full_says_so(clerk_client):
    invoice = issued()
    given = {"code": "error", "mode": "whole", "reason": "All", "once": new_key()}
    confirm(clerk_client, credit_url(invoice), given)
    page = clerk_client.get(credit_url(invoice), follow=True)
    assert "is credited in full already." in page.text
    again = confirm(clerk_client, credit_url(invoice), {**given, "once": new_key()})
    assert again.status_code == 422


def test_an_imported_invoice_is_credited_by_its_sums(clerk_client):
    from tests.factories import make_company

    make_company()
    invoice = make_invoice(total_minor=120_00, vat_minor=20_00)
    text = clerk_client.get(credit_url(invoice)).text
    assert "Some lines" not in text
    confirm(
        clerk_client,
        credit_url(invoice),
        {"code": "error", "mode": "whole", "reason": "Old", "once": new_key()},
    )
    assert credit_of(invoice).vat_minor == 20_00


def test_drafts_and_credit_notes_are_not_credited(clerk_client):
    draft = make_draft()
    assert clerk_client.get(credit_url(draft)).status_code == 303
    note = make_invoice(kind="credit_note")
    assert clerk_client.get(credit_url(note)).status_code == 303


def test_without_a_company_nothing_is_credited_and_the_page_says_what_to_do(clerk_client):
    invoice = make_invoice()
    assert "fill in the company" in clerk_client.get(credit_url(invoice)).text
    given = {"code": "error", "mode": "whole", "reason": "x", "once": new_key()}
    assert confirm(clerk_client, credit_url(invoice), given).status_code == 422


def test_the_credit_note_page_says_what_is_left_of_it(clerk_client, clerk):
    from moneyed import Money

    from invoices.payments.recording import record_payment

    invoice = issued()
    record_payment(
        client_id=invoice.client_id,
        amount=Money("1200", "EUR"),
        received_on=invoice.issue_date,
        reference="R",
        method="transfer",
        by=clerk,
        allocations=[(invoice.pk, Money("1200", "EUR"))],
    )
    given = {
        "code": "error",
        "mode": "amount",
        "amount": "100",
        "reason": "Sorry",
        "once": new_key(),
    }
    page = confirm(clerk_client, credit_url(invoice), given, follow=True)
    assert "Credit left" in page.text
    assert "Can be used for other invoices of this client." in page.text
