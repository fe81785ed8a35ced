"""Reports and lists when each invoice is due in three instalments: against the same ones whole."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from bench.pages import address, getting, signed_in
from bench.timing import Fact, Row, Spent, by_turns, statements
from invoices.models import Instalment, database_rules

PAGES = (
    ("reports:delays", ""),
    ("reports:delays", "by=client"),
    ("reports:receivables", ""),
    ("reports:desk", ""),
    ("invoices:list", "state=overdue&size=50"),
)
# Paid or open as a whole, in three parts: a month apart, the last one on the due date.
_INSERT = """
    INSERT INTO invoices_instalment (invoice_id, position, due_date, amount_minor, is_retention,
        paid_minor, credited_minor, written_off_minor, outstanding_minor, settled_on, paid_on,
        days_late, days_to_pay)
    SELECT i.id, n.position, {due}, {amount}, {no},
        CASE WHEN i.outstanding_minor = 0 THEN {amount} ELSE 0 END, 0, 0,
        CASE WHEN i.outstanding_minor = 0 THEN 0 ELSE {amount} END, i.settled_on, i.paid_on,
        i.days_late + {sooner}, i.days_to_pay
    FROM invoices_invoice i
    CROSS JOIN (SELECT 1 AS position UNION ALL SELECT 2 UNION ALL SELECT 3) n
    WHERE i.kind = 'invoice' AND i.status IN ('issued', 'settled') AND i.total_minor > 300
      AND (i.outstanding_minor = i.total_minor
           OR (i.outstanding_minor = 0 AND i.paid_minor = i.total_minor))
"""


def _in_three() -> int:
    third = "CAST(i.total_minor / 3 AS BIGINT)"
    parts = {
        "amount": f"(CASE WHEN n.position = 3 THEN i.total_minor - 2 * {third} ELSE {third} END)",
        "sooner": "30 * (3 - n.position)",
    }
    if connection.vendor == "sqlite":
        days = "date(i.due_date, '-' || (30 * (3 - n.position)) || ' days')"
        parts |= {"due": days, "no": "0"}
    else:
        parts |= {"due": "i.due_date - 30 * (3 - n.position)", "no": "FALSE"}
    # The rules let no issued invoice be divided afterwards: this one is of a copy.
    database_rules.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(**parts))
        cursor.execute(
            "UPDATE invoices_invoice SET next_due = (SELECT MIN(n.due_date) "
            "FROM invoices_instalment n WHERE n.invoice_id = invoices_invoice.id "
            "AND n.outstanding_minor > 0) WHERE status = 'issued' AND EXISTS (SELECT 1 "
            "FROM invoices_instalment n WHERE n.invoice_id = invoices_invoice.id)"
        )
        if connection.vendor == "postgresql":
            # SQLite keeps no statistics of a portal's tables, and plans well without.
            cursor.execute("ANALYZE")
    database_rules.install(connection)
    return Instalment.objects.count()


def parts() -> Iterator[Row | Fact]:
    browser = signed_in()
    urls = {f"{name}?{query}".rstrip("?"): address(name, query) for name, query in PAGES}
    whole: dict[str, tuple[Spent, int]] = {}
    for name, url in urls.items():
        (spent,) = by_turns(getting(browser, url), runs=5, warm_up=2)
        with statements() as heard:
            getting(browser, url)()
        whole[name] = (spent, len(heard))
    count = _in_three()
    yield Fact("instalments of the invoices, three each", f"{count:,}")
    for name, url in urls.items():
        (spent,) = by_turns(getting(browser, url), runs=5, warm_up=2)
        with statements() as heard:
            getting(browser, url)()
        before, queries = whole[name]
        floor = [("the same page before, each invoice due whole", before)]
        yield Row.of(f"{name}, in instalments", spent, floor, most_times=4)
        asked = f"{queries} and {len(heard)}"
        # Which of them are due in parts is asked for once.
        few = len(heard) <= queries + 3
        yield Fact(f"queries of {name}, whole and in instalments", asked, "3 more", few)
