"""Instalments from the draft to the last payment: worked out, issued, printed, settled."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing_portal.idempotency import new_key
from invoices.accounting import books
from invoices.documents.paper import Paper
from invoices.invoicing import drafting, dues
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Allocation, Instalment, Invoice, Payment
from invoices.models.terms import months_later
from invoices.payments import applying, recording, reversing
from invoices.selections.filters import InvoiceFilter
from tests.clock import days_ago
from tests.factories import make_client, make_draft, make_terms
from tests.race import at_once

ON = date(2026, 11, 24)
DAY = timedelta(days=1)
amounts = st.integers(min_value=0, max_value=10**12)
percents = st.decimals(min_value="0.01", max_value=100, places=2)


# ─ From the terms to the page ───────────────────────────────────────────────────────────────────
def issued(draft, on=ON):
    return Invoice.objects.get(pk=issue(invoice_id=draft.pk, by=None, on=on, send=False).pk)


@pytest.mark.django_db
def test_the_terms_of_the_client_make_the_instalments():
    draft = make_draft(client=make_client(terms=make_terms()))
    invoice = issued(draft)
    assert list(invoice.instalments.values_list("position", "due_date", "amount_minor")) == [
        (1, ON, 360_00),
        (2, ON + 30 * DAY, 840_00),
    ]
    assert (invoice.next_due, invoice.due_date) == (ON, ON + 30 * DAY)
    paper = Paper.from_json(invoice.paper)
    assert [(part.due_date, part.amount_minor) for part in paper.instalments] == [
        (ON, 360_00),
        (ON + 30 * DAY, 840_00),
    ]
    assert paper.payment_terms == (
        "À régler en 2 échéances\u202f: 360,00\u00a0€ au plus tard le 24 novembre 2026, "
        "840,00\u00a0€ au plus tard le 24 décembre 2026."
    )
    assert books.verify() == []


@pytest.mark.django_db
def test_the_paper_of_an_invoice_that_is_due_whole_has_none():
    assert "instalments" not in issued(make_draft()).paper


@pytest.mark.django_db
def test_terms_that_come_to_one_day_make_an_invoice_that_is_due_whole():
    terms = make_terms(steps=((50, 0, 30), (50, 0, 30)))
    invoice = issued(make_draft(client=make_client(terms=terms)))
    assert not invoice.instalments.exists()
    assert invoice.due_date == invoice.next_due == ON + 30 * DAY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([(ON, 360_00)], "€360.00 of €1,200.00: €840.00 are due on no day"),
        ([(ON, 2000_00), (ON + DAY, None)], "more than the total"),
        ([(ON - DAY, 10_00), (ON + DAY, None)], "before the issue date"),
        ([(ON, 10_00), (ON + 90 * DAY, None)], "The law allows 60"),
    ],
)
def test_instalments_that_do_not_make_the_invoice_are_a_reason_not_to_issue(typed, said):
    draft = make_draft()
    assert not drafting.save_draft(
        invoice_id=draft.pk, header={"dues_typed": dues.stored(typed)}, lines=LINES, by=None
    )
    draft.refresh_from_db()
    reasons = reasons_not_to_issue(draft, ON)
    assert [reason for reason in reasons if said in reason.text], reasons
    with pytest.raises(IssueRefused):
        issue(invoice_id=draft.pk, by=None, on=ON, send=False)


LINES = [
    {
        "description": "Work",
        "quantity": Decimal(1),
        "unit_price": Decimal(1000),
        "vat_rate": Decimal(20),
    }
]


@pytest.mark.django_db
def test_the_editor_takes_terms_and_dues_by_hand(clerk_client):
    terms, draft = make_terms(), make_draft()
    url = reverse("invoices:edit", args=[draft.pk])
    common = {
        "language": "fr",
        "currency": "EUR",
        "lines-TOTAL_FORMS": "1",
        "lines-0-description": "Work",
        "lines-0-quantity": "1",
        "lines-0-unit_price": "1000",
        "lines-0-vat": "S:20",
        "lines-0-nature": "services",
    }

    def save(**fields):
        draft.refresh_from_db()
        seen = draft.updated_at.isoformat()
        answer = clerk_client.post(url, {**common, "seen": seen, **fields})
        draft.refresh_from_db()
        return answer

    assert save(terms=f"named:{terms.pk}").status_code == 302
    assert (draft.terms, draft.dues_typed) == (terms, [])
    day = days_ago(-20)
    typed = f"{day:%d/%m/%Y} 30 %\n{day + DAY:%d/%m/%Y} rest"
    assert save(terms="by-hand", dues=typed).status_code == 302
    assert draft.terms is None
    assert draft.dues_typed == [
        {"on": day.isoformat(), "percent": "30"},
        {"on": (day + DAY).isoformat()},
    ]
    page = clerk_client.get(url).text
    assert typed.replace("\n", "\r\n") in page or typed in page
    assert "€360.00" in page and "€840.00" in page
    answer = save(terms="by-hand", dues="nonsense")
    assert answer.status_code == 422
    assert "write a day and what is due" in answer.text
    assert draft.dues_typed, "what was kept before stays"
    assert save(terms="net:30").status_code == 302
    assert (draft.terms, draft.dues_typed) == (None, [])


# ─ What the database keeps ──────────────────────────────────────────────────────────────────────
@pytest.fixture
def invoice(db):
    return issued(make_draft(client=make_client(terms=make_terms())))


@pytest.mark.django_db
def test_issued_instalments_are_frozen(invoice):
    part = invoice.instalments.first()
    for act in (
        lambda: Instalment.objects.filter(pk=part.pk).update(due_date=ON + DAY),
        lambda: Instalment.objects.filter(pk=part.pk).update(amount_minor=1, outstanding_minor=1),
        lambda: Instalment.objects.filter(pk=part.pk).delete(),
        lambda: Instalment.objects.create(
            invoice=invoice,
            position=9,
            said_due=ON,
            due_date=ON,
            amount_minor=1,
            outstanding_minor=1,
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.django_db
def test_instalments_that_do_not_make_the_total_are_refused_by_the_database():
    draft = make_draft()
    for day, minor in ((ON, 1), (ON + 30 * DAY, 2)):
        Instalment.objects.create(
            invoice=draft,
            position=minor,
            said_due=day,
            due_date=day,
            amount_minor=minor,
            outstanding_minor=minor,
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        issue(invoice_id=draft.pk, by=None, on=ON, send=False)


@pytest.mark.django_db
def test_an_allocation_names_an_instalment_of_its_invoice(invoice):
    other = issued(make_draft(client=make_client(terms=make_terms("Other"))))
    payment = Payment.objects.create(
        client=invoice.client, received_on=ON, currency="EUR", amount_minor=100
    )
    common = {"kind": "payment", "payment": payment, "amount_minor": 100, "applied_on": ON}
    for part in (None, other.instalments.first()):
        with pytest.raises(DatabaseError), transaction.atomic():
            Allocation.objects.create(invoice=invoice, instalment=part, **common)


@pytest.mark.django_db
def test_the_check_of_the_books_names_a_changed_instalment(invoice):
    from invoices.models import database_rules

    database_rules.remove(connection)
    first, second = invoice.instalments.order_by("position")
    Instalment.objects.filter(pk=second.pk).update(amount_minor=840_01, outstanding_minor=840_01)
    found = {(one.where, one.text) for one in books.verify()}
    database_rules.install(connection)
    assert any(invoice.number in where for where, _text in found), found


# ─ Settled ──────────────────────────────────────────────────────────────────────────────────────
def pay(invoice, minor, on=ON + DAY, **more):
    return recording.record_payment(
        client_id=invoice.client_id,
        amount=Money(Decimal(minor) / 100, "EUR"),
        received_on=on,
        reference="",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(Decimal(minor) / 100, "EUR"))],
        **more,
    )


def state(invoice):
    rows = invoice.instalments.order_by("position")
    return list(rows.values_list("outstanding_minor", "settled_on", "days_late"))


@pytest.mark.django_db
def test_money_settles_the_oldest_instalment_first(invoice):
    pay(invoice, 400_00)
    assert state(invoice) == [(0, ON + DAY, 1), (800_00, None, None)]
    invoice.refresh_from_db()
    assert (invoice.next_due, invoice.outstanding_minor) == (ON + 30 * DAY, 800_00)
    assert not invoice.is_overdue(ON + 20 * DAY)
    assert invoice.is_overdue(ON + 31 * DAY)
    assert books.verify() == []


@pytest.mark.django_db
def test_or_the_one_that_is_named(invoice):
    second = invoice.instalments.last()
    pay(invoice, 900_00, instalment=second.pk)
    assert state(invoice) == [(300_00, None, None), (0, ON + DAY, -29)]
    invoice.refresh_from_db()
    assert invoice.next_due == ON


@pytest.mark.django_db
def test_a_bounced_payment_opens_both_again(invoice):
    payment = pay(invoice, 1200_00)
    assert [left for left, *_days in state(invoice)] == [0, 0]
    reversing.reverse_payment(payment_id=payment.pk, by=None, on=ON + 9 * DAY, reason="Bounced")
    assert state(invoice) == [(360_00, None, None), (840_00, None, None)]
    invoice.refresh_from_db()
    assert invoice.next_due == ON
    assert invoice.past_settlements.filter(instalment__isnull=False).count() == 2
    assert books.verify() == []


@pytest.mark.django_db
def test_a_credit_note_and_a_write_off_settle_the_oldest_first_too(invoice):
    issue_credit_note(
        invoice_id=invoice.pk, amount=Money(100, "EUR"), reason="Less", by=None, on=ON + DAY
    )
    assert [left for left, *_days in state(invoice)] == [260_00, 840_00]
    given = applying.write_off(
        invoice_id=invoice.pk, amount=Money(300, "EUR"), reason="Lost", by=None, on=ON + 2 * DAY
    )
    assert [row.amount_minor for row in given] == [260_00, 40_00]
    assert [left for left, *_days in state(invoice)] == [0, 800_00]
    applying.take_back_write_off(
        allocation_id=given[0].pk, reason="He pays", by=None, on=ON + 3 * DAY
    )
    assert [left for left, *_days in state(invoice)] == [260_00, 800_00]
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_eight_clerks_at_once_settle_no_instalment_twice():
    invoice = issued(make_draft(client=make_client(terms=make_terms())))
    found = at_once(*[lambda: pay(invoice, 200_00)] * 8)
    assert sum(isinstance(one, Payment) for one in found) == 6, found
    assert [left for left, *_days in state(invoice)] == [0, 0]
    assert books.verify() == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=1200_00), st.integers(min_value=0, max_value=2)
        ),
        max_size=6,
    )
)
@pytest.mark.django_db(transaction=True)
def test_whatever_is_paid_the_instalments_make_the_balance(payments):
    invoice = issued(make_draft(client=make_client(terms=MONTHLY())))
    parts = list(invoice.instalments.values_list("pk", flat=True))
    for minor, named in payments:
        invoice.refresh_from_db()
        minor = min(minor, invoice.outstanding_minor)
        if minor:
            pay(invoice, minor, instalment=parts[named])
    invoice.refresh_from_db()
    left = [outstanding for outstanding, *_days in state(invoice)]
    assert sum(left) == invoice.outstanding_minor
    still = [day for day, minor in zip(DUE_DAYS, left, strict=True) if minor]
    assert invoice.next_due == (still[0] if still else DUE_DAYS[-1])


DUE_DAYS = (ON, months_later(ON, 1), months_later(ON, 2) - 10 * DAY)


def MONTHLY():
    from invoices.models import PaymentTerms

    PaymentTerms.objects.filter(name="Three").delete()
    return make_terms(f"Three {new_key()}", steps=((None, 0, 0), (None, 1, 0), (None, 0, 51)))


# ─ Pages ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_the_page_of_the_invoice_shows_each_and_leads_to_its_payment(clerk_client, invoice):
    page = clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    first, second = invoice.instalments.order_by("position")
    for part, amount in ((first, "€360.00"), (second, "€840.00")):
        assert f"instalment={part.pk}" in page
        assert amount in page
    url = reverse("invoices:payment-new")
    page = clerk_client.get(url, {"invoice": invoice.pk, "instalment": second.pk}).text
    assert 'value="840.00"' in page
    assert f'name="instalment" value="{second.pk}"' in page


@pytest.mark.django_db
def test_the_list_has_a_row_for_each_and_its_file_too(manager_client, invoice):
    filtered = InvoiceFilter(state="open").query()
    page = manager_client.get(f"{reverse('invoices:list')}?{filtered}").text
    assert f"{invoice.number} · 1/2" in page and f"{invoice.number} · 2/2" in page
    assert "2 due amounts" in page
    file = b"".join(manager_client.get(f"{reverse('invoices:export-csv')}?{filtered}")).decode(
        "utf-8-sig"
    )
    assert [line.split(",")[0] for line in file.splitlines()[1:]] == [invoice.number] * 2


@pytest.mark.django_db
def test_pages_of_one_row_walk_through_all_instalments(clerk_client):
    client = make_client(terms=make_terms())
    for _n in range(14):
        issued(make_draft(client=client))
    seen, url = [], f"{reverse('invoices:list')}?state=open&sort=total"
    while url:
        answer = clerk_client.get(url)
        seen += [(row.name) for row in answer.context["rows"]]
        url = answer.context["page"].next_url
        url = url and f"{reverse('invoices:list')}{url}"
    assert len(seen) == len(set(seen)) == 28
