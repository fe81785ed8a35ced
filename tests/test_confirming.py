"""What cannot be undone is done to what its person saw; every address of a POST is judged."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from billing_portal.money import from_minor
from invoices.history.imports import keep
from invoices.invoicing import drafting
from invoices.models import (
    Allocation,
    Contact,
    ExchangeRate,
    ExemptionReason,
    Invoice,
    LatePenaltyRate,
    Message,
    Payment,
    Refund,
    VatRate,
)
from invoices.payments.applying import write_off
from invoices.payments.refunding import refund_client
from tests.accounts.page import OF_DOCUMENTS
from tests.clock import as_typed, days_ago
from tests.confirm import confirm, token_on
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_draft,
    make_issued,
    make_rule,
    make_terms,
)
from tests.invoices.history.files import CLIENT, as_csv
from tests.invoices.lifecycle.making import BEGIN_OTHERS, OF_OTHERS
from tests.invoices.statements.making import OF_LETTERS
from tests.invoices.subscriptions.making import BEGIN_OFFERS, COMMON_CREDITS, OF_OFFERS
from tests.race import at_once

RECEIVED = days_ago(84)
HTMX = {"HX-Request": "true"}
LINE = {"description": "Audit", "quantity": 1, "unit_price": 10_000}


def issued():
    return make_issued(on=timezone.localdate())


def exported_to_paris():
    draft = make_draft()
    draft.lines.update(vat_category="G", vat_rate=0)
    return draft


def mail(state):
    invoice = issued()
    return Message.objects.create(
        reason_key=state,
        kind="invoice",
        invoice=invoice,
        client=invoice.client,
        to=["a@b.example"], subject="Invoice", body_text="Here it is",
        state=state, sent_at=timezone.now() if state == "sent" else None, mail_id=f"<{state}>",
    )  # fmt: skip


def payment():
    return Payment.objects.create(
        client=make_client(), currency="EUR", amount_minor=100_00, received_on=RECEIVED
    )


def contact():
    return Contact.objects.create(client=make_client(), name="Zoé", email="zoe@client.example")


def penalty():
    return LatePenaltyRate.objects.create(starts_on=date(2026, 7, 1), percent=12, source="ECB")


def exchange():
    return ExchangeRate.objects.create(currency="USD", on=date(2026, 7, 1), rate=1, source="ECB")


def refund():
    paid = payment()
    return refund_client(
        client_id=paid.client_id,
        amount=paid.amount,
        refunded_on=paid.received_on,
        reference="",
        method="transfer",
        reason="Paid twice",
        by=None,
        on=timezone.localdate(),
    )


def write_off_row():
    invoice = issued()
    today = timezone.localdate()
    write_off(invoice_id=invoice.pk, amount=from_minor(100, "EUR"), reason="Bad", by=None, on=today)
    return Allocation.objects.get(kind=Allocation.Kind.WRITE_OFF)


def preview():  # Files that the administrator looks at.
    boss = User.objects.get(role="administrator")
    source = ("clients.csv", as_csv("clients", [CLIENT]))
    return keep(sources={"clients": source}, by=boss, on=timezone.localdate())


# Name of the address: (a row to do it to, what else the form says).
IRREVERSIBLE = (OF_OFFERS | OF_OTHERS | OF_LETTERS) | {
    "invoices:issue": (make_draft, {}),
    "invoices:decide-vat": (exported_to_paris, {"reason": "Goods leave by our own lorry"}),
    "invoices:send": (issued, {"recipients": "a@b.example"}),
    "invoices:credit": (issued, {"code": "error", "mode": "whole", "reason": "Wrong"}),
    "invoices:void": (make_draft, {"reason": "Twice"}),
    "invoices:write-off": (issued, {"amount": "1", "reason": "Bad", "cause": "small"}),
    "invoices:payment-reverse": (payment, {"on": as_typed(RECEIVED), "reason": "Bounced"}),
    "invoices:payment-allocate": (payment, {}),
    "invoices:mail-resend": (lambda: mail("failed"), {}),
    "invoices:mail-cancel": (lambda: mail("queued"), {}),
    "invoices:mail-arrived": (lambda: mail("sending"), {}),
    "invoices:contact-remove": (contact, {}), "company:penalty_delete": (penalty, {}),
    "company:exchange_delete": (exchange, {}),
    "company:vat_rate_delete": (VatRate.objects.first, {}),
    "company:terms_archive": (make_terms, {}),
    "company:exemption_delete": (ExemptionReason.objects.first, {}),
    "company:client_type_delete": (lambda: make_client_type("Unused"), {}),
    "reports:rule-delete": (make_rule, {}),
    "invoices:refund-back": (refund, {"reason": "It came back"}),
    "invoices:write-off-back": (write_off_row, {"reason": "He pays"}),
    "invoices:history_bring_in": (preview, {}), "invoices:history_discard": (preview, {}),
}  # fmt: skip
# They ask too, and have tests of their own below or beside their page.
ASKED_ELSEWHERE = {
    "invoices:apply", "invoices:draft-deals", "company:client_type_merge", "invoices:deal-change",
    "company:books", "company:numbers", "invoices:refund-new", "invoices:payment-undo",
    "invoices:account-drop", "invoices:late-claim", *COMMON_CREDITS,
}  # fmt: skip
# What can be taken back, begins something new, or only shows.
REVERSIBLE = BEGIN_OFFERS | BEGIN_OTHERS | set(OF_DOCUMENTS) | {
    "accounts:language", "accounts:profile", "accounts:invite", "accounts:invite_again",
    "accounts:person", "company:details", "company:invoicing", "company:client_types",
    "company:client_type", "company:client_type_move", "company:rates", "company:ecb",
    "company:vat_rate", "company:exemption", "company:exemption_new", "company:terms_new",
    "company:terms_edit", "integrations:pipedrive", "invoices:accounts",
    "invoices:integrity-anchor", "integrations:run_again", "integrations:mapping",
    "integrations:mapping_preview", "integrations:start", "invoices:note",
    "invoices:import_history", "invoices:history_answer", "invoices:history_leave_out",
    "invoices:new", "invoices:edit", "invoices:totals", "invoices:draft-client",
    "invoices:credit-totals", "invoices:payment-new", "invoices:client-new", "invoices:client-edit",
    "invoices:contact-new", "invoices:contact-edit", "invoices:account-new", "invoices:deal-client",
    "invoices:client-ask-vat", "invoices:set-deal-aside", "invoices:account", "invoices:draft-deal",
    "invoices:preview", "invoices:take-deal-back", "invoices:download-pdfs", "reports:acknowledge",
    "reports:acknowledge-all", "reports:reopen", "reports:snooze", "reports:rule-new",
    "reports:rule", "reports:rule-switch", "company:numbers-preview", "invoices:journal-export",
    "invoices:deposits", "invoices:deposit-on", "invoices:integrity-check", "invoices:archive-make",
}  # fmt: skip
OURS = ("invoices", "company", "reports", "integrations", "accounts")


def addresses(patterns, space=""):
    """Every named address of the portal with how many ids it takes."""
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, each.namespace or space)
        elif isinstance(each, URLPattern) and space in OURS and each.name:
            yield f"{space}:{each.name}", len(each.pattern.converters)


@pytest.mark.django_db
def test_every_address_that_takes_a_post_is_known_as_one_or_the_other(admin_client):
    unknown = set()
    for name, ids in addresses(get_resolver().url_patterns):
        # A view that allows no OPTIONS says what it allows.
        allowed = admin_client.options(reverse(name, args=[1] * ids)).headers.get("Allow", "")
        judged = name in IRREVERSIBLE or name in ASKED_ELSEWHERE or name in REVERSIBLE
        if "POST" in allowed and not judged:
            unknown.add(name)
    assert not unknown, "can it be undone? then REVERSIBLE, else IRREVERSIBLE with a token"


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "1.old", "x", "1764061200." + "0" * 40])
@pytest.mark.parametrize("name", sorted(IRREVERSIBLE))
def test_without_the_token_of_what_is_shown_nothing_is_done(name, token, admin_client):
    make_company()
    make, given = IRREVERSIBLE[name]
    row = make()
    ids = [row.client_id, row.pk] if name == "invoices:contact-remove" else [row.pk]
    before = type(row).objects.filter(pk=row.pk).values().get()
    data = {"once": new_key(), **given, **({"confirmed": token} if token else {})}
    answer = admin_client.post(reverse(name, args=ids), data)
    assert answer.status_code == 422
    assert "look again" in answer.text
    assert type(row).objects.filter(pk=row.pk).values().get() == before


# ─ The dialog of one invoice, the act on another ────────────────────────────────────────────────
def other_client():
    return make_client(name="Agence de Tréméoc", billing_email="b@agency.example")


def save_otherwise(draft, by):
    lines = [{**LINE, "vat_category": "S", "vat_rate": 20}]
    header = {"client_id": other_client().pk, "recipients": ["b@agency.example"]}
    assert not drafting.save_draft(invoice_id=draft.pk, header=header, lines=lines, by=by)


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_draft_saved_while_its_dialog_was_open_is_not_issued(headers, clerk_client, clerk):
    make_company()
    draft = make_draft(client=make_client(name="Cartonnages Josso"), recipients=["a@josso.example"])
    url = reverse("invoices:issue", args=[draft.pk])
    shown = clerk_client.get(url, headers=headers)
    save_otherwise(draft, clerk)
    given = {"once": new_key(), "send": "1", "recipients": "a@josso.example"}
    answer = clerk_client.post(url, {**given, "confirmed": token_on(shown)}, headers=headers)
    assert answer.status_code == 422
    assert "Maëlle Kervadec changed it meanwhile" in answer.text
    # The new state is shown, with the new client's address, ready to be confirmed.
    assert "Agence de Tréméoc" in answer.text
    assert "€12,000.00" in answer.text
    assert "a@josso.example" not in answer.text
    draft.refresh_from_db()
    assert draft.is_draft
    assert not Message.objects.exists()
    again = {"once": new_key(), "send": "1", "recipients": "b@agency.example"}
    clerk_client.post(url, {**again, "confirmed": token_on(answer)}, headers=headers)
    draft.refresh_from_db()
    assert draft.is_issued
    assert Message.objects.get().to == ["b@agency.example"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda client: client.contacts.update(email="new@client.example"),
        lambda client: type(client).objects.filter(pk=client.pk).update(address_line1="Elsewhere"),
    ],
)
def test_what_the_paper_prints_and_who_receives_it_are_confirmed_too(change, clerk_client):
    make_company()
    client = make_client(billing_email="")
    Contact.objects.create(
        client=client, name="Z", email="z@client.example", receives_invoices=True
    )
    draft = make_draft(client=client)
    url = reverse("invoices:issue", args=[draft.pk])
    token = token_on(clerk_client.get(url))
    change(client)
    answer = clerk_client.post(url, {"once": new_key(), "issue": "1", "confirmed": token})
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.is_draft


@pytest.mark.django_db
def test_a_whole_credit_is_refused_when_what_is_left_changed(clerk_client):
    make_company()
    invoice = issued()
    url = reverse("invoices:credit", args=[invoice.pk])
    token = token_on(clerk_client.get(url))
    first = {"code": "error", "mode": "amount", "amount": "120", "reason": "All of it"}
    assert confirm(clerk_client, url, first).status_code == 303
    whole = {**first, "mode": "whole", "once": new_key(), "confirmed": token}
    answer = clerk_client.post(url, whole)
    assert answer.status_code == 422
    assert "All of it" in answer.text
    assert "€1,080.00" in answer.text
    assert Invoice.objects.credit_notes().count() == 1
    assert clerk_client.post(url, {**whole, "confirmed": token_on(answer)}).status_code == 303


# ─ What is taken back, or paid back ─────────────────────────────────────────────────────────────
BACK = {
    "invoices:refund-back": (refund, lambda: Refund.objects.filter(reverses__isnull=False)),
    "invoices:write-off-back": (
        write_off_row,
        lambda: Allocation.objects.filter(takes_back__isnull=False),
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(BACK))
def test_a_double_click_takes_back_once(name, clerk_client):
    make_company()
    make, answers = BACK[name]
    url = reverse(name, args=[make().pk])
    given = {"reason": "Oops", "once": new_key(), "confirmed": token_on(clerk_client.get(url))}
    assert clerk_client.post(url, given).status_code == 303
    again = clerk_client.post(url, given, follow=True)
    assert "already done a moment ago" in again.text
    assert answers().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(BACK))
def test_what_a_colleague_took_back_meanwhile_is_told_by_name(name, clerk_client, admin_client):
    make_company()
    make, answers = BACK[name]
    url = reverse(name, args=[make().pk])
    given = {"reason": "It never left", "once": new_key()}
    token = token_on(admin_client.get(url))
    assert confirm(clerk_client, url, {"reason": "Oops"}).status_code == 303
    late = admin_client.post(url, {**given, "confirmed": token})
    assert late.status_code == 422
    assert "Maëlle Kervadec changed it meanwhile" in late.text
    assert "It never left" in late.text
    # Looked at again, it is still not taken back twice.
    assert admin_client.post(url, {**given, "confirmed": token_on(late)}).status_code == 422
    assert answers().count() == 1


@pytest.mark.django_db
def test_a_write_off_stands_when_its_invoice_moved_meanwhile(clerk_client):
    """The page says what is owed again; a second write-off makes that another sentence."""
    make_company()
    row = write_off_row()
    url = reverse("invoices:write-off-back", args=[row.pk])
    token = token_on(clerk_client.get(url))
    more = {"amount": "5", "reason": "More", "cause": "small"}
    confirm(clerk_client, reverse("invoices:write-off", args=[row.invoice_id]), more)
    late = clerk_client.post(url, {"reason": "Oops", "once": new_key(), "confirmed": token})
    assert late.status_code == 422
    given = {"reason": "Oops", "once": new_key(), "confirmed": token_on(late)}
    assert clerk_client.post(url, given).status_code == 303


@pytest.mark.parametrize("name", sorted(BACK))
@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_take_back_once(name, clerk, client):
    make_company()
    make, answers = BACK[name]
    url = reverse(name, args=[make().pk])
    client.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    token = token_on(client.get(url))
    sent = [{"reason": "Oops", "once": new_key(), "confirmed": token} for _each in range(2)]
    told = at_once(*(lambda given=given: client.post(url, given) for given in sent))
    assert sorted(answer.status_code for answer in told) == [303, 422]
    assert answers().count() == 1


@pytest.mark.django_db
def test_a_client_is_refunded_out_of_what_the_page_showed(clerk_client, admin_client):
    make_company()
    paid = payment()
    url = f"{reverse('invoices:refund-new')}?client={paid.client_id}&currency=EUR"
    given = {"client": paid.client_id, "currency": "EUR", "amount": "40", "reason": "Paid twice",
             "refunded_on": as_typed(RECEIVED), "method": "transfer"}  # fmt: skip
    token = token_on(clerk_client.get(url))
    assert confirm(admin_client, url, given).status_code == 303
    stale = {**given, "once": new_key(), "confirmed": token}
    late = clerk_client.post(url, stale)
    assert late.status_code == 422
    assert "look again" in late.text
    assert "€60.00" in late.text
    assert Refund.objects.count() == 1
    # The same form, looked at again; then pressed a second time.
    fresh = {**stale, "confirmed": token_on(late)}
    assert clerk_client.post(url, fresh).status_code == 303
    assert "already done" in clerk_client.post(url, fresh, follow=True).text
    assert Refund.objects.count() == 2


@pytest.mark.django_db
def test_several_drafts_are_refused_when_a_deal_changed(clerk_client):
    make_company()
    deal = make_deal()
    url = reverse("invoices:draft-deals")
    token = token_on(clerk_client.get(url))
    type(deal).objects.update(value_minor=5)
    given = {"ids": [deal.pk], "once": new_key(), "confirmed": token}
    assert clerk_client.post(url, given).status_code == 422
    assert not Invoice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_saving_and_issuing_at_the_same_moment_never_issues_what_was_not_shown(clerk, client):
    make_company()
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(clerk, backend=backend)
    for _round in range(4):
        draft = make_draft(recipients=["a@josso.example"])
        shown = draft.client_id
        url = reverse("invoices:issue", args=[draft.pk])
        token = token_on(client.get(url))
        given = {"once": new_key(), "issue": "1", "confirmed": token}
        other = other_client()
        lines = [{**LINE, "vat_category": "S", "vat_rate": 20}]

        def save(draft=draft, other=other, lines=lines):
            header = {"client_id": other.pk}
            return drafting.save_draft(invoice_id=draft.pk, header=header, lines=lines, by=clerk)

        at_once(save, lambda url=url, given=given: client.post(url, given))
        draft.refresh_from_db()
        if draft.is_issued:
            assert draft.client_id == shown
            assert draft.total_minor == 1_200_00
        else:
            assert draft.client_id == other.pk
    assert connection.vendor in ("sqlite", "postgresql")
