"""One row of everything, with names that mean harm, and the address of each named page over it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.accounts.models import User
from integrations.models import Connection, SyncRefusal, SyncRun
from invoices.attachments.keeping import add
from invoices.attachments.standing import put
from invoices.einvoicing.transmitting import transmit
from invoices.history.imports import keep
from invoices.invoicing.sending import queue_invoice
from invoices.models import (
    Contact,
    Dispute,
    ExchangeRate,
    IncomingInvoice,
    LatePenaltyRate,
    Payment,
    QuoteDocument,
)
from invoices.payments.applying import write_off
from invoices.payments.refunding import refund_client
from invoices.quotes.links import token_of
from invoices.statements.claiming import make_claim
from reports.models import Alert
from tests.accounts.test_roles import PAGES
from tests.factories import (
    make_client,
    make_deal,
    make_draft,
    make_invoice,
    make_issued,
    make_rule,
    make_user,
    settle,
)
from tests.invoices.bulk.making import make_batch
from tests.invoices.quotes.making import CHOICES, accept, send_quote, write_quote
from tests.invoices.subscriptions.making import made_now, paused_now, save, written_now
from tests.transmitted import at_platform, say

ON = date(2026, 11, 24)
BOMB = (
    "</script><script>alert(1)</script><b>{{ 7*7 }}</b>{% debug %}'\"><img src=x onerror=alert(1)>"
)
NAME = f"\u202eGrève & {BOMB} 株"


def _papers(seller):
    """A client with a deal, a draft, and two documents."""
    client = make_client(name=NAME, owner=seller)
    rows = {
        "client": client,
        "deal": make_deal(client=client, owner=seller, title=NAME),
        "draft": make_draft(client=client, title=NAME),
        "issued": make_issued(client=client, title=NAME),
        "old": settle(make_invoice(client=client, owner=seller, title=NAME), date(2026, 10, 2)),
    }
    rows["contact"] = Contact.objects.create(
        client=client, name=NAME, email="compta@client.example"
    )
    return rows


def _quotes(papers):
    """A quote of each sort that the pages of quotes are about."""
    long = {"client": papers["client"], "on": timezone.localdate()}
    lines = [{**each, "description": NAME, "section": each["section"][:3]} for each in CHOICES]
    accepted = send_quote(lines=lines, **long)
    accept(accepted, at=timezone.now())
    return {
        "quote": send_quote(lines=lines, **long),
        "written": write_quote(lines=lines, note=NAME, **long),
        "accepted": accepted,
        "answer": send_quote(lines=lines, **long).version,
    }


def _subscriptions(papers):
    """One that runs and has made an invoice, one that is paused, one that is being written."""
    running = made_now(client=papers["client"], title=NAME, note=NAME)
    running.rises.create(first_day=ON + timedelta(days=400), percent=2, yearly=True)
    begun = written_now()
    save(begun, [{"description": NAME, "unit_price": 1, "vat_rate": 20}], title=NAME)
    return {"subscription": running, "paused": paused_now(), "begun": begun}


def _money(papers, clerk):
    """A payment, money that a client may have back and did, a debt that was given up, a mail."""
    client, issued = papers["client"], papers["issued"]
    payment = Payment.objects.get()
    [given_up] = write_off(
        invoice_id=issued.pk, amount=Money(1, "EUR"), reason=NAME, by=clerk, on=ON
    )
    Payment.objects.create(client=client, received_on=ON, currency="EUR", amount_minor=20_00)
    refund = refund_client(
        client_id=client.pk,
        amount=Money(5, "EUR"),
        refunded_on=ON,
        reference=NAME[:20],
        method="transfer",
        reason=NAME[:100],
        by=clerk,
        on=ON,
    )
    mail = queue_invoice(invoice_id=issued.pk, recipients=["a@client.example"], by=clerk)
    return {"payment": payment, "write-off": given_up, "refund": refund, "mail": mail}


def _watched(issued):
    """A rule, and an alert that it wrote."""
    rule = make_rule(name=NAME)
    alert = Alert.objects.create(
        rule=rule,
        reason_key="overdue:1:1",
        episode_started_on=date(2026, 11, 20),
        fired_on=date(2026, 11, 24),
        invoice=issued,
        client=issued.client,
        data={"owed_minor": 120_00, "currency": "EUR", "days": 40},
    )
    return {"rule": rule, "alert": alert}


def _on_the_platform(issued, clerk):
    """Rejected in words that mean harm, contested, and a supplier's file."""
    found = transmit(invoice_id=issued.pk, by=clerk)
    at_platform(found, codes=["200"])
    say(found, "213", reason_code=NAME[:60], reason=NAME)
    dispute = Dispute.objects.create(invoice=issued, opened_at=timezone.now(), reason=NAME)
    incoming = IncomingInvoice.objects.create(
        platform_id="in", filename=NAME[:255], content=b"<script>", sha256="0" * 64, size=8
    )
    message = found.statuses.latest("pk")
    return {
        "transmission": found, "dispute-row": dispute, "incoming": incoming, "message": message,
    }  # fmt: skip


def _brought_in(clerk):
    """A run of an import that refused something, a file of the past, rates."""
    # This machine, which is refused: nothing goes out.
    crm = Connection.objects.create(
        provider="pipedrive",
        base_url="https://127.0.0.1:9",
        api_token="secret-token",
        state="active",
    )
    run = SyncRun.objects.create(connection=crm, state="done", finished_at=timezone.now())
    SyncRefusal.objects.create(run=run, kind="deal", external_id="1", label=NAME, reason=NAME)
    history = keep(
        sources={"clients": (NAME, b"name,client_type\n=1+1,x\n")}, by=clerk, on=date(2026, 11, 24)
    )
    penalty, _new = LatePenaltyRate.objects.get_or_create(
        starts_on=date(2026, 7, 1), defaults={"percent": 12}
    )
    rate, _new = ExchangeRate.objects.get_or_create(
        currency="USD", on=date(2026, 7, 1), defaults={"rate": 1}
    )
    return {"run": run, "history": history, "penalty": penalty, "rate": rate}


def _claimed(papers, clerk):
    """A claim for paying late, and its letter."""
    keys = {papers["old"].pk}
    claim = make_claim(client_id=papers["client"].pk, invoices=keys, recipients=[], by=clerk, on=ON)
    return {"claim": claim, "letter": claim.letter}


# What the address of a page is about, by its name; else by how its name begins; else the invoice
# that was issued.
BY_NAME = {
    **dict.fromkeys(("attachment", "attachment-remove", "attachment-show"), "attachment"),
    **dict.fromkeys(("attachments", "attachment-add"), "draft"),
    **dict.fromkeys(("deal", "draft-deal", "set-deal-aside", "take-deal-back"), "deal"),
    **dict.fromkeys(("edit", "totals", "draft-client", "preview", "issue", "void"), "draft"),
    "note": "old",
    **dict.fromkeys(
        ("quote-edit", "quote-totals", "quote-preview", "quote-discard", "quote-send"), "written"
    ),
    **dict.fromkeys(("quote-bill", "quote-copy"), "accepted"),
    "quote-from-deal": "deal",
    **dict.fromkeys(("subscription-start", "subscription-discard"), "begun"),
    "subscription-resume": "paused",
    "subscription-from-deal": "deal",
    "subscription-from-quote": "accepted",
    "subscription-from-invoice": "issued",
    **dict.fromkeys(("client", "client-edit", "contact-new", "late-claim"), "client"),
    "late-claim-withdraw": "claim",
    **dict.fromkeys(("standing-file", "standing-file-remove"), "standing"),
    "release": "retained",
    "account-letter": "letter",
    **dict.fromkeys(("acknowledge", "reopen", "snooze"), "alert"),
    **dict.fromkeys(("run", "refused_csv"), "run"),
    "write-off-back": "write-off",
    **dict.fromkeys(("put-right", "transmit-again"), "transmission"),
    "dispute-close": "dispute-row",
    "incoming-file": "incoming",
    "lifecycle-message": "message",
    **dict.fromkeys(("take-address", "force-way"), "client"),
    "penalty_delete": "penalty",
    "exchange_delete": "rate",
}
BY_BEGINNING = {
    "batch": "batch",
    "quote": "quote",
    "subscription": "subscription",
    "payment": "payment",
    "receipt": "payment",
    "statement": "client",
    "refund": "refund",
    "mail": "mail",
    "history": "history",
    "rule": "rule",
    "acknowledge-all": "rule",
    "client_type": "type",
    "person": "seller",
    "invite": "seller",
}


def _attached(draft):
    return add(owner=draft, name=NAME, content=b"%PDF-1.7", by=None)


def _standing():
    kinds = ["on_invoices", "on_quotes"]
    return put(name=NAME, content=b"%PDF-1.7 of all", kinds=kinds, language="", by=None)


def make_places() -> dict[str, str]:
    """The address of each page in the table of roles, each about a row that is there."""
    seller, clerk = make_user(role=User.Role.SALES, name=NAME), make_user(name=NAME)
    rows = {"seller": seller, **_papers(seller)}
    rows |= _quotes(rows)
    rows |= _subscriptions(rows)
    rows |= {**_money(rows, clerk), **_watched(rows["issued"]), **_brought_in(clerk)}
    rows |= _on_the_platform(rows["issued"], clerk)
    rows |= _claimed(rows, clerk)
    rows |= {"batch": make_batch(), "attachment": _attached(rows["draft"])}
    rows |= {"standing": _standing(), "retained": make_issued(retention_percent=Decimal(5))}
    rows["type"] = rows["client"].client_type

    def args(name, count):
        word = name.partition(":")[2]
        if word.startswith("contact-") and count == 2:
            return (rows["client"].pk, rows["contact"].pk)
        if word == "subscription-call-off-rise":
            return (rows["subscription"].pk, rows["subscription"].rises.get().pk)
        if word == "subscription-draft-again":
            return (rows["subscription"].pk, rows["subscription"].periods.get().pk)
        if word == "history_export":
            return ("clients", "csv")
        if word == "history_left_out":
            return (rows["history"].pk, "clients")
        if word == "quote-file":
            kept = QuoteDocument.objects.filter(version__quote=rows["accepted"])
            return (rows["accepted"].pk, kept.first().pk)
        if word.startswith("wording"):
            return ("invoice", "fr")
        if word.startswith("guest-"):
            return (token_of(rows["answer"]), *([rows["attachment"].pk] if count == 2 else ()))
        begins = (about for start, about in BY_BEGINNING.items() if word.startswith(start))
        return (rows[BY_NAME.get(word) or next(begins, "issued")].pk,)

    return {
        name: reverse(name, args=args(name, len(page.args)) if page.args else ())
        for name, page in PAGES.items()
    }
