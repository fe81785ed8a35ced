"""An accepted quote to its invoices, on its page."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.invoicing import drafting
from invoices.invoicing.issuing import issue
from invoices.models import Invoice, QuoteEvent
from tests.factories import make_company, make_deal, make_terms, make_unprinted
from tests.invoices.quotes.making import accepted_quote, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    make_company()
    return timezone.localdate()


def address(name, quote):
    return reverse(f"invoices:quote-{name}" if name else "invoices:quote", args=[quote.pk])


def test_it_is_billed_from_its_page_and_the_desk_says_that_it_waits(clerk_client, today):
    make_deal()
    quote = accepted_quote(on=today, lines=[line("1000")])
    assert "Accepted quotes to bill" in clerk_client.get("/").text
    url = address("bill", quote)
    answer = clerk_client.post(url, {"way": "deposit", "share": "30", "once": new_key()})
    draft = Invoice.objects.get()
    assert answer["Location"] == reverse("invoices:edit", args=[draft.pk])
    assert draft.net_minor == 300_00
    # The draft says where it comes from, and the quote what was billed of it.
    event = draft.events.get(kind="drafted")
    assert event.data["quote_id"] == quote.pk
    page = clerk_client.get(address("", quote)).text
    assert "€360.00" in page
    # What comes next is the deposit, and then the invoice that deducts it.
    assert "Issue the deposit" in page
    assert "still a draft" in clerk_client.post(url, {"way": "rest", "once": new_key()}).text
    make_unprinted(draft, on=today)
    assert "Make the final invoice" in clerk_client.get(address("", quote)).text
    assert draft.number in clerk_client.get(url).text
    clerk_client.post(url, {"way": "rest", "once": new_key()})
    assert Invoice.objects.count() == 2
    assert "Accepted quotes to bill" not in clerk_client.get("/").text


def test_it_is_billed_into_instalments_by_terms_that_are_offered(clerk_client, today):
    terms, old = make_terms(), make_terms("No longer")
    old.archived = True
    old.save()
    quote = accepted_quote(on=today, lines=[line("1000")])
    # What was accepted counts, not the instalments that its client has by now.
    quote.client.terms = terms
    quote.client.save()
    url = address("bill", quote)
    page = clerk_client.get(url).text
    assert terms.name in page and old.name not in page
    for chosen, made in (("", None), (str(old.pk), None), (str(terms.pk), terms)):
        clerk_client.post(url, {"way": "whole", "terms": chosen, "once": new_key()})
        draft = Invoice.objects.exclude(status="void").get()
        assert draft.terms == made
        if made is None:
            drafting.void_draft(invoice_id=draft.pk, by=None, on=today)
    invoice = issue(invoice_id=draft.pk, by=None, on=today)
    parts = invoice.instalments.order_by("position")
    assert [part.amount_minor for part in parts] == [360_00, 840_00]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"way": "deposit", "share": ""}, "30 is per cent"),
        ({"way": "deposit", "share": "0"}, "above 0"),
        ({"way": "deposit", "share": "-1"}, "negative"),
        ({"way": "deposit", "share": "101"}, "more than 100"),
        ({"way": "deposit", "share": "2000 EUR"}, "€800.00 more than the €1,200.00"),
        ({"way": "lines"}, "how much of which line"),
        ({"way": "lines", "price": "-1"}, "has the sign"),
        ({"way": "lines", "price": "9" * 12}, "At most"),
        ({"way": "elsewhere"}, "Choose what is billed"),
    ],
)
def test_nothing_too_much_and_nonsense_are_refused_in_words(clerk_client, today, data, says):
    quote = accepted_quote(on=today, lines=[line("1000")])
    (only,) = quote.acceptance.lines.all()
    if "price" in data:
        data = {"way": "lines", f"line-{only.pk}": data["price"]}
    answer = clerk_client.post(address("bill", quote), {**data, "once": new_key()})
    assert answer.status_code == 422
    assert says in answer.text
    assert not Invoice.objects.exists()


def test_beyond_it_the_page_asks_and_keeps_the_answer(clerk_client, clerk, today):
    quote = accepted_quote(on=today, lines=[line("1000")])
    url = address("bill", quote)
    asked = clerk_client.post(url, {"way": "deposit", "share": "2000 EUR", "once": new_key()})
    token = asked.context["asked"]["token"]
    data = {"way": "deposit", "share": "2000 EUR", "agreed": token, "once": new_key()}
    assert clerk_client.post(url, data).status_code == 303
    event = quote.events.get(kind=QuoteEvent.Kind.EXCEEDED)
    assert (event.by, event.data["amount_minor"]) == (clerk, 800_00)
