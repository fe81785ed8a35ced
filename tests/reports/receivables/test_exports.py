"""What the receivables export holds adds up to what the page says."""

from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal

import pytest
from django.urls import reverse

from billing_portal.money import digits, formatted_minor
from tests.factories import make_client, make_invoice
from tests.reports.golden import make_golden_set

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by", ["client_type", "client", "owner"])
@pytest.mark.parametrize("day", ["2026-09-30", "2026-06-30", ""])
def test_each_column_adds_up_to_the_foot_of_its_currency(manager_client, by, day):
    make_golden_set()
    for code, minor in (("TND", 1_234), ("JPY", 7_000)):
        for _n in range(2):
            make_invoice(client=make_client(currency=code), currency=code, total_minor=minor)
    query = {"by": by, "as_of": day}
    blocks = manager_client.get(reverse("reports:receivables"), query).context["report"].blocks
    answer = manager_client.get(reverse("reports:receivables-csv"), query)
    sums: dict[str, Counter[str]] = {}
    for row in csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))):
        for label, text in row.items():
            if label == "Receivable" or label == "Overdue":
                minor = int(Decimal(text).scaleb(digits(row["Currency"])))
                sums.setdefault(row["Currency"], Counter())[label] += minor
    assert set(sums) == {block.currency for block in blocks}
    for block in blocks:
        foot = {cell.text for cell in block.foot}
        for label, minor in sums[block.currency].items():
            assert formatted_minor(minor, block.currency) in foot or not minor, (label, foot)
