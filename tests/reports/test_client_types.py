"""A client that changes its type takes none of its invoices along, unless the reader asks for it.

MixCo was of the type Mix until 31 August; today it is Key.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.http import QueryDict
from django.urls import reverse

from invoices.history import bringing_in
from invoices.models import Client, Invoice, Payment
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import InvoiceFilter, filter_invoices
from reports.alerts.evaluating import evaluate
from reports.delays.measuring import Scope
from reports.delays.reading import tallies
from reports.delays.report import DelayReport
from reports.receivables.measuring import positions
from reports.receivables.report import ReceivablesReport
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_rule
from tests.reports.golden import credit, pay

pytestmark = pytest.mark.django_db
TODAY, AUGUST = date(2026, 11, 24), date(2026, 8, 31)
START = date(2026, 6, 1)


@pytest.fixture
def mix():
    make_company()
    return make_client_type("Mix", mark="startup")


@pytest.fixture
def key(mix):
    return make_client_type("Key", mark="large")


@pytest.fixture
def mixco(mix, key):
    """With a merged brother; invoices before and after the move, paid, open and credited."""
    chance = random.Random(13)
    mixco = make_client(name="MixCo", client_type=mix)
    brother = make_client(name="MixCo West", client_type=mix)
    others = [
        make_client(name="Keyra", client_type=key),
        make_client(name="Mixon", client_type=mix),
    ]

    def bill(client, first, count):
        for n in range(count):
            issued = first + timedelta(days=3 * n)
            invoice = make_invoice(
                client=client,
                issue_date=issued,
                due_date=issued + timedelta(days=30),
                total_minor=100_00 * (n + 1),
            )
            when = issued + timedelta(days=chance.randrange(20, 80))
            if n % 5 < 3:
                pay(invoice, invoice.total_minor, when)
            elif n % 5 == 3:
                credit(invoice, 50_00, issued + timedelta(days=5))

    for client in (mixco, brother, *others):
        bill(client, date(2026, 5, 1), 20)
    mixco.client_type = key
    mixco.save()
    brother.merged_into = mixco
    brother.save()
    bill(mixco, date(2026, 9, 1), 12)
    # Money and credit that nothing has taken.
    Payment.objects.create(
        client=mixco, received_on=date(2026, 9, 2), currency="EUR", amount_minor=7_00
    )
    make_invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        client=mixco,
        client_type_id=mix.pk,
        issue_date=date(2026, 9, 3),
        due_date=date(2026, 9, 3),
        total_minor=11_00,
    )
    return mixco


def before_the_move(act):
    """What `act` says when the move and the merger are undone again."""
    key = Client.objects.get(name="MixCo").client_type
    mix = Client.objects.get(name="MixCo West").client_type
    Client.objects.filter(name="MixCo").update(client_type=mix)
    Client.objects.filter(name="MixCo West").update(merged_into=None)
    found = act()
    Client.objects.filter(name="MixCo").update(client_type=key)
    Client.objects.filter(name="MixCo West").update(merged_into=Client.objects.get(name="MixCo"))
    return found


def opened(url):
    """The rows that the list shows at this address."""
    wanted, problems = InvoiceFilter.read(QueryDict(urlsplit(url).query))
    assert not problems
    return filter_invoices(Invoice.objects.all(), wanted, TODAY)


def delays_by_type(as_of, **fields):
    report = DelayReport(Scope(as_of, **fields), "client_type", "late")
    return {row.label: (row.tally.n, row.tally.curve.p50) for row in report.groups.rows}


def ageing_by_type(as_of, **fields):
    report = ReceivablesReport(START, as_of, "client_type", InvoiceFilter(**fields))
    return {row.label: row.ageing.receivable_minor for block in report.blocks for row in block.rows}


@pytest.mark.parametrize("read", [delays_by_type, ageing_by_type])
def test_the_past_stays_when_a_client_changes_its_type_and_moves_only_on_request(mixco, read):
    before = before_the_move(lambda: read(AUGUST))
    assert set(before) == {"Mix", "Key"}
    assert read(AUGUST) == before
    moved = read(AUGUST, type_today=True)
    assert moved != before and set(moved) == {"Mix", "Key"}


def test_by_todays_type_a_merged_client_has_the_type_of_its_account(mixco, key):
    rows = Scope(AUGUST, type_today=True, client_types=(key.pk,)).rows()
    assert {row.client.name for row in rows.select_related("client")} == {
        "MixCo",
        "MixCo West",
        "Keyra",
    }
    kept = Scope(AUGUST, client_types=(key.pk,)).rows()
    assert {row.client.name for row in kept.select_related("client")} == {"Keyra"}


@pytest.mark.parametrize("today", [False, True])
@pytest.mark.parametrize("as_of", [AUGUST, TODAY])
def test_every_figure_opens_its_rows_under_both_choices(mixco, as_of, today):
    report = DelayReport(Scope(as_of, type_today=today), "client_type", "late")
    heads = [head.key for head in report.table.heads]
    for row in report.table.shown:
        cells = dict(zip(heads, row.cells, strict=True))
        for name in ("n", "open", "overdue"):
            assert int(cells[name].text) == opened(cells[name].url).count()
        assert row.tally.n == opened(row.url).count()
        assert row.recent.n == opened(cells["recent"].url).count()
    for band in report.figures.bands:
        for count, url in zip(band.counts, band.urls, strict=True):
            assert count == opened(url).count()
    for _row, cells in report.heat.rows:
        for cell in cells:
            assert not cell.n or cell.n == opened(cell.url).count()
    receivables = ReceivablesReport(START, as_of, "client_type", InvoiceFilter(type_today=today))
    (block,) = receivables.blocks
    for row in block.rows:
        rows = with_open_amount(opened(row.url), as_of)
        assert row.ageing.receivable_minor == sum(rows.values_list("open_minor", flat=True))
        assert row.ageing.count == rows.count()


@pytest.mark.parametrize("today", [False, True])
def test_filtered_to_each_type_the_figures_add_up_to_all(mixco, mix, key, today):
    whole = positions(START, TODAY)["EUR"]
    parts = [
        positions(START, TODAY, wanted=InvoiceFilter(type=(kind.pk,), type_today=today))["EUR"]
        for kind in (mix, key)
    ]
    for name in ("sales_minor", "beginning_minor", "unapplied_cash_minor", "credit_balance_minor"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts), name
    assert whole.ageing.receivable_minor == sum(part.ageing.receivable_minor for part in parts)


def test_a_credit_note_counts_by_its_own_type_and_money_by_the_clients_of_today(mixco, mix, key):
    def of(kind, **fields):
        return positions(START, TODAY, wanted=InvoiceFilter(type=(kind.pk,), **fields))["EUR"]

    # The note of 11.00 was issued as Mix; 7.00 came from a client that is Key today.
    kept = {kind: of(kind).credit_balance_minor % 50_00 for kind in (mix, key)}
    assert kept == {mix: 11_00, key: 0}
    moved = {kind: of(kind, type_today=True).credit_balance_minor % 50_00 for kind in (mix, key)}
    assert moved == {mix: 0, key: 11_00}
    assert [of(kind).unapplied_cash_minor for kind in (mix, key)] == [0, 7_00]


def test_the_page_says_by_which_type_money_is_counted(mixco, key, manager_client):
    url = reverse("reports:receivables")
    said = "by the type that the client has today"
    assert said not in manager_client.get(url).text
    assert said in manager_client.get(url, {"type": key.pk}).text


def test_pages_exports_and_links_keep_the_choice(mixco, manager_client):
    given = {"as_of": "2026-08-31", "issued_from": "2026-05-01", "type_today": "1"}
    for name in ("delays", "receivables"):
        text = manager_client.get(reverse(f"reports:{name}"), given).text
        assert "client types of today" in text
        assert 'name="type_today"' in text and "checked" in text.split('name="type_today"')[1][:120]
        links = re.findall(r'href="(/invoices/\?[^"]*type=[^"]*)"', text)
        assert links and all("type_today=1" in link for link in links)
        answer = manager_client.get(reverse(f"reports:{name}-csv"), given)
        head = next(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
        assert "Client type of today" in head
        plain = manager_client.get(reverse(f"reports:{name}-csv"), {**given, "type_today": ""})
        head = next(csv.reader(io.StringIO(plain.getvalue().decode("utf-8-sig"))))
        assert "Client type" in head and "Client type of today" not in head


def test_the_command_says_and_takes_the_choice(mixco):
    def told(*arguments):
        out = io.StringIO()
        call_command(
            "payment_delays", "--as-of=2026-08-31", "--format=json", *arguments, stdout=out
        )
        found = json.loads(out.getvalue())
        return found["client_types"], {row["group"]: row["n"] for row in found["groups"]}

    assert told() == ("at_issue", {"Mix": 60, "Key": 20})
    assert told("--types-of-today") == ("today", {"Mix": 20, "Key": 60})


def test_the_list_shows_sorts_and_writes_the_type_that_it_filters_by(mixco, key, clerk_client):
    draft = make_invoice(client=mixco, status=Invoice.Status.DRAFT, title="Draft")
    for given, expected in (({}, {"Mix", "Key"}), ({"type_today": "1"}, {"Key"})):
        query = {"client": mixco.pk, "sort": "type", "size": "50", **given}
        answer = clerk_client.get(reverse("invoices:list"), query)
        rows = answer.context["page"].rows
        names = [row["sort_key"] for row in rows]
        assert names == sorted(names) and set(names) == expected
        written = clerk_client.get(reverse("invoices:export-csv"), query).getvalue()
        table = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
        assert {row["Type"] for row in table if row["Kind"]} == expected
        drafts = clerk_client.get(
            reverse("invoices:list"), {**query, "state": "draft", "type": key.pk}
        )
        assert [row["pk"] for row in drafts.context["page"].rows] == [draft.pk]
        only = clerk_client.get(reverse("invoices:list"), {**query, "type": key.pk})
        assert all("Mix" not in str(row.type) for row in only.context["rows"])


def test_a_rule_on_a_type_counts_as_the_report_does(mixco, mix):
    rule = make_rule(
        kind="type_delay", client_type=mix, days=0, window_days=210, min_payments=5, measure="mean"
    )
    (found,) = evaluate(rule, TODAY)
    scope = Scope(TODAY, issued_from=TODAY - timedelta(days=210), client_types=(mix.pk,))
    tally = tallies(scope, "late", "client_type")[(mix.pk,)]
    assert (found.data["paid"], found.data["open"]) == (tally.n_paid, tally.open)
    # Far more than the clients that are Mix today: most of the rows are those of MixCo.
    assert tally.n > Scope(TODAY, client_types=(mix.pk,), type_today=True).rows().count()


def test_imported_history_has_the_type_that_its_client_has_at_the_import(mix, key, clerk):
    make_client(name="Atelier Brume", client_type=mix)
    head = "number,kind,client,issued_on,due_on,currency,net,vat,total,corrects,title\n"
    line = "OLD-1,invoice,Atelier Brume,2026-01-10,2026-02-09,EUR,100.00,20.00,120.00,,\n"
    source = ("invoices.csv", (head + line).encode())
    plan = bringing_in.read(sources={"invoices": source}, on=TODAY)
    assert not plan.complaints, plan.complaints
    bringing_in.apply(plan, by=clerk, on=TODAY)
    Client.objects.filter(name="Atelier Brume").update(client_type=key)
    assert Invoice.objects.get(number="OLD-1").client_type == mix
    assert set(delays_by_type(AUGUST)) == {"Mix"}


def test_a_box_ticked_in_the_form_is_heard(mixco, key):
    for text in ("type_today=on", "type_today=1"):
        wanted, problems = InvoiceFilter.read(QueryDict(text))
        assert wanted.type_today and not problems
    wanted, problems = InvoiceFilter.read(QueryDict("type_today=perhaps"))
    assert not wanted.type_today and problems
