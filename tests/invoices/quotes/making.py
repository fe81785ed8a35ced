"""Quotes for tests: written, sent, accepted, without the pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from django.utils import timezone

from invoices.models import QuoteAcceptance, QuoteDocument, QuoteLine, QuoteVersion
from invoices.quotes import answering, beginning, drafting, sending
from invoices.quotes.answering import Signer
from invoices.quotes.choices import totals_of
from tests.factories import make_client, make_company, make_draft, make_unprinted

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
GAELLE = Signer("Gaëlle Guérin", "gérante", "203.0.113.9", "Firefox")


def line(price, *, quantity=1, rate=20, role="included", section="", proposed=False, **more):
    return {
        "description": f"Line at {price}",
        "quantity": Decimal(str(quantity)),
        "unit_price": Decimal(str(price)),
        "vat_rate": Decimal(str(rate)),
        "vat_category": "S" if rate else "Z",
        "role": role,
        "section": section,
        "proposed": proposed,
        **more,
    }


# Planned 1,000; an option not ticked, one ticked; two alternatives, the second proposed.
CHOICES = (
    line("1000"),
    line("200", role="option"),
    line("50", role="option", proposed=True),
    line("300", role="alternative", section="Hosting"),
    line("400", role="alternative", section="Hosting", proposed=True),
)


ONE = (line("1000"),)


def write_quote(*, lines=ONE, client=None, deal=None, by=None, on=TODAY, **header):
    """A draft of a quote; the quote."""
    make_company()
    if deal is not None:
        quote = beginning.quote_from_deal(deal_id=deal.pk, by=by, on=on)
    else:
        quote = beginning.new_quote(client_id=(client or make_client()).pk, by=by, on=on)
    save(quote.version, lines, title="Site office app", **header)
    quote.refresh_from_db()
    return quote


def save(version, lines, **header):
    problems = drafting.save_version(
        version_id=version.pk, header=header, lines=[dict(each) for each in lines], by=None
    )
    assert not problems, problems


def send_quote(*, to=("gaelle@guerin.example",), on=TODAY, by=None, **fields):
    quote = write_quote(on=on, by=by, **fields)
    sending.send(version_id=quote.version_id, recipients=list(to), by=by, on=on)
    quote.refresh_from_db()
    return quote


def pick(version: QuoteVersion, *prices):
    """Keys of its lines by their price."""
    wanted = {Decimal(str(price)) for price in prices}
    return {line.pk for line in version.lines.all() if line.unit_price in wanted}


def accept(quote, picked=None, *, at=NOON, signer=GAELLE, **more):
    if picked is None:
        picked = set(
            QuoteLine.objects.filter(version=quote.version, proposed=True).values_list(
                "pk", flat=True
            )
        )
    return answering.accept(
        version_id=quote.version_id, picked=picked, read_minor=None, signer=signer, at=at, **more
    )


def accepted_quote(**fields):
    quote = send_quote(**fields)
    accept(quote)
    quote.refresh_from_db()
    return quote


def unprinted_acceptance(**fields):
    """An accepted quote without page and mail: for tests about what is billed of it."""
    quote = write_quote(**fields)
    version = quote.version
    lines = list(version.lines.all())
    totals = totals_of(lines, version.currency, version.adjustments)
    document = QuoteDocument.objects.create(
        version=version, kind="accepted", filename="a.pdf", content=b"%PDF", sha256="0" * 64, size=4
    )
    acceptance = QuoteAcceptance.objects.create(
        quote=quote,
        version=version,
        document=document,
        at=NOON,
        name=GAELLE.name,
        currency=version.currency,
        net_minor=totals.net_minor,
        vat_minor=totals.vat_minor,
        total_minor=totals.total_minor,
        sha256=document.sha256,
    )
    acceptance.lines.set(lines)
    return quote


def written_today():
    return write_quote(on=timezone.localdate())


def sent_today():
    return send_quote(on=timezone.localdate())


def issued_today():
    return make_unprinted(make_draft(), on=timezone.localdate())


# For tests/test_confirming.py: what is done to what was seen, and what can be taken back.
OF_QUOTES = {
    "invoices:quote-send": (written_today, {"recipients": "a@b.example", "send": "mail"}),
    "invoices:quote-discard": (written_today, {}),
    "invoices:quote-send-again": (sent_today, {"recipients": "a@b.example"}),
    "invoices:quote-withdraw": (sent_today, {"reason": "Too low"}),
    "invoices:quote-record": (sent_today, {"name": "Zoé"}),
    "invoices:correct": (issued_today, {}),
}
BEGIN_QUOTES = {
    f"invoices:quote-{act}"
    for act in ("new", "from-deal", "edit", "totals", "preview", "copy", "version", "link", "bill")
}
# For tests/accounts/test_roles.py: who may open what there is of deposits and corrections.
PAGES_OF_DEPOSITS = {
    "invoices:correct": "invoices.add_creditnote",
    "invoices:deposit-on": "invoices.change_invoice",
    "invoices:deposits": "invoices.change_invoice",
    "invoices:pro-forma": "invoices.view_invoice",
    "invoices:quote": "invoices.view_quote",
    "invoices:quote-pro-forma": "invoices.view_quote",
}
