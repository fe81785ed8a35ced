"""Credit notes over several invoices, or over a period without any."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing_portal.confirming import Shown
from billing_portal.idempotency import new_key
from invoices.accounting import pages
from invoices.documents.facturx import judging
from invoices.documents.paper import Paper
from invoices.documents.totals import vat_of
from invoices.invoicing import rebate_plan, rebating
from invoices.invoicing.creditable import left_to_credit
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.rebate_plan import Asked
from invoices.models import CreditShare, Invoice
from tests.confirm import confirm
from tests.factories import make_client, make_company, make_invoice, make_issued, settle
from tests.invoices.accounting.bookkeeping import journal

ON = date(2026, 11, 25)


def issue(client, asked, *, code="rebate", currency="EUR", **options):
    return rebating.issue_rebate(
        client_id=client.pk,
        currency=currency,
        asked=asked,
        reason="Remise annuelle",
        code=code,
        by=None,
        on=options.pop("on", ON),
        **options,
    )


def asked_of(*invoices, **options):
    return Asked(invoices=tuple(each.pk for each in invoices), **options)


@pytest.fixture
def client(db):
    make_company()
    return make_client()


def test_a_percentage_over_several_invoices_is_one_note_that_settles_what_is_owed(client):
    open_one = make_issued(client=client, lines=[(1, "1000.00"), (1, "200.00", "5.5")])
    paid = settle(make_issued(client=client, lines=[(1, "500.00")]), ON)
    note = issue(
        client, asked_of(open_one, paid, percent=Decimal(3)), recipients=["a@client.example"]
    )
    assert {(r.rate, r.basis_minor, r.vat_minor) for r in note.vat_breakdown.all()} == {
        (Decimal(20), 45_00, 9_00),
        (Decimal("5.50"), 6_00, 33),
    }
    open_one.refresh_from_db()
    assert open_one.credited_minor == 36_00 + 6_33
    # What was paid already stays the client's credit.
    assert note.outstanding_minor == 18_00
    assert left_to_credit(paid) == 600_00 - 18_00
    paper = Paper.from_json(note.paper)
    assert [(each.number, each.net_minor) for each in paper.credited] == [
        (open_one.number, 36_00),
        (paid.number, 15_00),
    ]
    # The e-invoice names both, and every judge lets it pass.
    assert judging.judged(paper).failures == ()
    xml = bytes(note.documents.get(kind="xml").content).decode()
    assert xml.count("<ram:InvoiceReferencedDocument>") == 2
    assert "<ram:TypeCode>381</ram:TypeCode>" in xml
    assert list(pages.check()) == []


def test_a_period_without_invoices_names_its_agreement(client):
    days = {"since": date(2026, 1, 1), "until": date(2026, 10, 31)}
    given = Asked(amount=Money("100", "EUR"), rate=Decimal(20), nature="services", **days)
    with pytest.raises(IssueRefused, match="contract or agreement"):
        issue(client, given)
    make_issued(client=client)
    note = issue(client, Asked(**{**vars(given), "contract": "Cadre 2026-12"}))
    assert (note.total_minor, note.outstanding_minor) == (120_00, 120_00)
    paper = Paper.from_json(note.paper)
    assert judging.judged(paper).failures == ()
    xml = bytes(note.documents.get(kind="xml").content).decode()
    assert "<ram:TypeCode>262</ram:TypeCode>" in xml
    assert "Cadre 2026-12" in xml
    assert list(pages.check()) == []


def test_no_invoice_gives_more_than_is_left_of_it(client):
    first, second = make_issued(client=client), make_issued(client=client)
    issue_credit_note(
        invoice_id=first.pk, amount=Money("1140", "EUR"), reason="Wrong", by=None, on=ON
    )
    with pytest.raises(IssueRefused, match="left to credit"):
        issue(client, asked_of(first, second, percent=Decimal(10)))
    with pytest.raises(IssueRefused, match="1,050"):
        issue(client, asked_of(first, second, amount=Money("1050.01", "EUR")))
    assert not CreditShare.objects.exists()
    note = issue(client, asked_of(first, second, amount=Money("1050", "EUR")))
    assert note.total_minor == 1260_00
    assert left_to_credit(first) == left_to_credit(second) == 0
    # What a rebate took is gone for a credit note on the invoice too.
    with pytest.raises(IssueRefused, match="in full already"):
        issue_credit_note(invoice_id=second.pk, reason="Again", by=None, on=ON)


def test_the_database_refuses_a_share_beyond_the_invoice_and_any_change(client):
    invoice = make_issued(client=client)
    note = issue(client, asked_of(invoice, percent=Decimal(5)))
    share = note.credit_shares.get()
    draft = Invoice.objects.create(kind="credit_note", client=client, currency="EUR")
    for change in (
        lambda: CreditShare.objects.filter(pk=share.pk).update(basis_minor=1),
        share.delete,
        lambda: CreditShare.objects.create(
            note=draft,
            invoice=invoice,
            category="S",
            rate=20,
            basis_minor=950_01,
            vat_minor=190_00,
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_it_is_one_client_one_currency_and_issued_invoices(client):
    mine = make_issued(client=client)
    for other in (make_issued(), make_invoice(client=client, currency="USD", total_minor=100)):
        with pytest.raises(IssueRefused):
            issue(client, asked_of(mine, other, percent=Decimal(1)))
    deposit = make_issued(client=client)
    deposit.purpose = Invoice.Purpose.DEPOSIT
    assert "credited alone" in rebate_plan._not_this_one(deposit, "EUR", ON)


def test_an_invoice_of_the_old_system_gives_at_its_own_rate(client):
    old = make_invoice(client=client, total_minor=120_00, vat_minor=20_00)
    note = issue(client, asked_of(old, percent=Decimal(10)))
    assert (note.net_minor, note.vat_minor) == (10_00, 2_00)


def test_the_ledger_has_it_as_a_rebate(client):
    invoice = make_issued(client=client, on=ON)
    note = issue(client, asked_of(invoice, percent=Decimal(10)))
    entry = next(each for each in journal()[0] if each.piece == note.number)
    assert [(p.account.number, p.debit) for p in entry.postings if p.debit] == [
        ("709600", 100_00),
        ("445740", 20_00),
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lefts=st.lists(
        st.tuples(st.sampled_from(["20", "10", "5.5"]), st.integers(1, 99_999)),
        min_size=1,
        max_size=12,
    ),
    part=st.fractions(min_value=0, max_value=1),
)
def test_shares_add_up_to_vat_that_is_rounded_once_and_stay_within_what_is_left(lefts, part):
    shares = []
    for place, (rate, basis) in enumerate(lefts):
        vat = vat_of(basis, Decimal(rate))
        taken = max(1, round(basis * part))
        mine = rebate_plan.vat_part(taken, Decimal(rate), basis, vat)
        invoice = Invoice(pk=place + 1)
        shares.append(rebate_plan.Share(invoice, "S", Decimal(rate), taken, mine, (basis, vat)))
    right = rebate_plan._right_vat(shares)
    for rate in {rate for rate, _basis in lefts}:
        group = [each for each in right if each.rate == Decimal(rate)]
        whole = vat_of(sum(each.basis_minor for each in group), Decimal(rate))
        said = sum(each.vat_minor for each in group)
        free = any(each.basis_minor < each.left[0] for each in group)
        assert said == whole or not free or abs(said - whole) <= len(group)
        for each in group:
            assert 0 <= each.vat_minor <= each.left[1]


# ─ The pages ────────────────────────────────────────────────────────────────────────────────────
def test_from_ticked_invoices_to_the_note(clerk_client):
    today = timezone.localdate()
    client = make_client()
    rows = [make_issued(client=client, on=today) for _ in range(2)]
    asked = clerk_client.post(reverse("invoices:rebate-chosen"), {"ids": [r.pk for r in rows]})
    url = asked["Location"]
    text = clerk_client.get(url).text
    assert text.count("checked") >= 2
    given = {
        "over": "invoices",
        "how": "percent",
        "percent": "2,5",
        "code": "rebate",
        "reason": "Year-end rebate 2026",
        "ids": [r.pk for r in rows],
        "once": new_key(),
    }
    # As it was shown a moment ago, and no longer is.
    stale = {**given, "confirmed": Shown({}).token}
    answer = clerk_client.post(url, stale)
    assert answer.status_code == 422
    assert not Invoice.objects.filter(kind="credit_note").exists()
    preview = clerk_client.post(url.replace("/rebate/", "/rebate/totals/"), given).text
    assert "€60.00" in preview
    confirm(clerk_client, url, given)
    note = Invoice.objects.get(kind="credit_note")
    assert note.net_minor == 50_00
    page = clerk_client.get(reverse("invoices:detail", args=[note.pk])).text
    assert all(reverse("invoices:detail", args=[r.pk]) in page for r in rows)
    assert (
        reverse("invoices:detail", args=[note.pk])
        in clerk_client.get(reverse("invoices:detail", args=[rows[0].pk])).text
    )


def test_what_cannot_be_together_is_said(clerk_client):
    rows = [make_issued(), make_issued()]
    answer = clerk_client.post(
        reverse("invoices:rebate-chosen"), {"ids": [r.pk for r in rows]}, follow=True
    )
    assert "these are of several" in answer.text
    url = reverse("invoices:rebate", args=[rows[0].client_id])
    answer = clerk_client.post(url, {"over": "invoices", "how": "percent"})
    assert answer.status_code == 422
    assert "Tick at least one invoice" in answer.text
    far = (timezone.localdate() + timedelta(days=9)).isoformat()
    assert "No invoice of these days" in clerk_client.get(f"{url}?issued_from={far}").text


def test_days_are_typed_as_elsewhere_and_what_cannot_be_read_narrows_nothing(clerk_client):
    client = make_client()
    make_issued(client=client, on=timezone.localdate())
    url = reverse("invoices:rebate", args=[client.pk])
    year = timezone.localdate().year
    page = clerk_client.get(url, {"issued_from": f"1/1/{year}", "issued_to": "today"}).text
    assert 'type="date"' not in page
    assert 'id="id_issued_from"' in page
    assert page.count('name="ids"') == 1
    # An address of before, with days of the machine.
    assert 'name="ids"' in clerk_client.get(url, {"issued_from": f"{year}-01-01"}).text
    page = clerk_client.get(url, {"issued_from": "hello"})
    assert (page.status_code, "hello" in page.text) == (200, True)
    assert 'name="ids"' in page.text
    wrong = clerk_client.get(url, {"issued_from": f"2/2/{year}", "issued_to": f"1/1/{year}"}).text
    assert "The last day is before the first." in wrong
