"""A change is claimed when the data carry it, and not otherwise."""

from __future__ import annotations

import html
import math
import random
from datetime import date, timedelta

import pytest
from django.urls import reverse

from reports.delays.comparing import beyond_chance, compare, compare_alone
from reports.delays.measuring import Scope
from reports.delays.report import DelayReport
from reports.delays.tally import Tally, total
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import make_golden_set, pay


def make_clients(chance, count, *, later=0, invoices=6):
    """Tallies by client: each has a habit of its own, and some invoices are open still."""
    before, now = {}, {}
    for client in range(count):
        habit = chance.gauss(12, 9)
        for found, more in ((before, 0), (now, later)):
            tally = found.setdefault(client, Tally())
            for _n in range(invoices):
                days = round(chance.gauss(habit + more, 8))
                counts = tally.unfinished if chance.random() < 0.1 else tally.paid
                counts[days] = counts.get(days, 0) + 1
    return before, now


def test_a_page_without_any_change_seldom_claims_one():
    chance = random.Random(7)
    pages = [{key: compare(*make_clients(chance, 12)) for key in range(6)} for _page in range(150)]
    assert sum(bool(beyond_chance(page)) for page in pages) <= 15


def test_a_change_of_ten_days_is_found_among_groups_that_did_not_change():
    chance = random.Random(8)
    found = [
        beyond_chance(
            {key: compare(*make_clients(chance, 25, later=10 * (key == 0))) for key in range(6)}
        )
        for _page in range(40)
    ]
    assert sum(0 in told for told in found) >= 32


def test_one_client_is_compared_by_its_invoices():
    chance = random.Random(9)
    before, now = (total(half.values()) for half in make_clients(chance, 1, later=25, invoices=30))
    assert beyond_chance({"it": compare_alone(before, now)}) == {"it"}
    assert not beyond_chance({"it": compare_alone(before, before)})


def chance_by_hand(before, now):
    """The chance of a difference, each part's pull added up invoice by invoice."""
    sets = total(before.values()), total(now.values())
    day = total(sets).curve.p50
    shares, pulls = [], dict.fromkeys({*before, *now}, 0.0)
    for whole, parts, sign in ((sets[0], before, -1), (sets[1], now, 1)):
        steps = [step for step in whole.curve.steps if step.day <= day]
        left = {step.day: max(step.at_risk - step.paid, 0.5) for step in steps}
        share = math.prod(left[step.day] / step.at_risk for step in steps)
        shares.append(share)

        def at_risk_until(end, steps=steps, left=left):
            return sum(1 / left[s.day] - 1 / s.at_risk for s in steps if s.day <= end)

        for key, tally in parts.items():
            curve = tally.curve
            pull = -sum(n / left[then] for then, n in curve.paid.items() if then in left)
            for counts, way in (curve.paid, 1), (curve.unfinished, 1), (curve.entries or {}, -1):
                pull += way * sum(n * at_risk_until(then) for then, n in counts.items())
            pulls[key] += sign * pull * share
    free = len(pulls) - 1
    variance = sum(pull * pull for pull in pulls.values()) * len(pulls) / free
    squared = (shares[1] - shares[0]) ** 2 / variance
    normal = (8 * free + 1) / (8 * free + 3) * math.sqrt(free * math.log1p(squared / free))
    return math.erfc(normal / math.sqrt(2))


@pytest.mark.parametrize("seed", range(20))
def test_the_chance_is_that_of_every_invoice_counted_by_hand(seed):
    chance = random.Random(seed)
    before, now = make_clients(chance, chance.randrange(5, 18), later=chance.randrange(6))
    for tally in (*before.values(), *now.values()):
        for days in [*tally.paid][: chance.randrange(3)]:
            tally.enter(days, days - chance.randrange(-3, 9), paid=True)
    del before[0], now[1]
    assert compare(before, now).chance == pytest.approx(chance_by_hand(before, now))


@pytest.mark.django_db
def test_the_tile_and_the_trend_answer_alike_and_name_both_spans(manager_client):
    make_company()
    seller = make_user(name="Yann Le Goff")
    kind = make_client_type("SME", mark="sme")
    for n in range(12):
        client = make_client(client_type=kind)
        for year, late in ((2024, 2 + n % 3), (2025, 22 + n % 3)):
            for month in (10, 11, 12):
                issued = date(year, month, 1 + n)
                invoice = make_invoice(
                    client=client,
                    owner=seller,
                    issue_date=issued,
                    due_date=issued + timedelta(days=30),
                )
                pay(invoice, invoice.total_minor, issued + timedelta(days=30 + late))
    scope = Scope(date(2026, 3, 31), issued_from=date(2024, 4, 1))
    findings = DelayReport(scope, "client_type", "late").findings
    (tile,) = [kpi for kpi in findings.kpis if kpi.label == "Getting worse"]
    spans = ("Apr 2024 – Mar 2025", "Apr 2025 – Mar 2026")
    assert tile.value == "+20"
    assert all(span.replace(" ", "\xa0") in tile.sub.replace(" ", "\xa0") for span in spans)
    assert findings.turns.trend_title == "SME pays later: half within 23 days, before 3"
    query = "?by=owner&as_of=2026-03-31&issued_from=2024-04-01"
    text = manager_client.get(reverse("reports:delays") + query).content.decode()
    assert "The clients of Yann Le Goff pay later" in text
    assert "Clients of Yann Le Goff: from 3" in text
    assert "Slowest payers" not in text
    months = manager_client.get(reverse("reports:delays") + query.replace("owner", "month"))
    assert "Slowest month" in months.content.decode()


@pytest.mark.django_db
def test_the_amount_is_said_once_and_alike(manager_client):
    make_company()
    kind = make_client_type("SME", mark="sme")
    for n in range(10):
        client = make_client(client_type=kind)
        for amount, late in ((1_500_00, n % 4), (15_000_00, 30 + n % 4)):
            for month in (1, 2, 3):
                issued = date(2026, month, 1 + n)
                invoice = make_invoice(
                    client=client,
                    issue_date=issued,
                    due_date=issued + timedelta(days=30),
                    total_minor=amount,
                )
                pay(invoice, invoice.total_minor, issued + timedelta(days=30 + late))
    report = DelayReport(Scope(date(2026, 6, 30)), "client_type", "late")
    assert report.findings.kpis[1].sub == "large invoices are later"
    assert "of the smaller ones within 1" in report.findings.turns.size_title
    alike = DelayReport(Scope(date(2026, 6, 30), issued_to=date(2026, 1, 4)), "client_type", "late")
    assert alike.findings.kpis[1].sub == "large or small: no difference beyond chance"
    assert "no difference beyond chance" in alike.findings.turns.size_title


@pytest.mark.django_db
def test_a_period_that_does_not_reach_the_year_before_says_so_and_opens_nothing(manager_client):
    make_golden_set()
    query = "?issued_from=2026-01-01&as_of=2026-09-30"
    page = html.unescape(manager_client.get(reverse("reports:delays") + query).text)
    assert "the period begins too late to compare it with" in page
    assert "The period is too short to tell a change" in page
    assert "too few payments to compare" not in page
    assert "issued_from=2025-10-01&issued_to=2025" not in page
