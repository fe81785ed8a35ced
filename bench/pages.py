"""Pages as the server makes them, by Django's test client: no network, no browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from bench.data import bench_user
from bench.timing import Fact, Row, by_turns, statements
from invoices.models import ClientType, Invoice
from reports.receivables.measuring import positions, usual_start

EMPTY = "/bench/empty/"
# The pages that must make as many queries for many rows as for few.
PAGES = (
    ("invoices:list", "size=50"),
    ("invoices:list", "state=overdue&sort=-total&size=50"),
    ("invoices:clients", ""),
    ("invoices:payments", ""),
    ("invoices:mail", ""),
    ("invoices:deals", ""),
    ("reports:desk", ""),
    ("reports:counts", ""),
    ("reports:search", "q=SEED1-000"),
    ("reports:delays", ""),
    ("reports:delays-figures", ""),
    ("reports:receivables", ""),
    ("reports:alerts", ""),
    ("reports:rules", ""),
)


def signed_in() -> Browser:
    browser = Browser(SERVER_NAME="localhost")
    browser.force_login(bench_user(), backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def getting(browser: Browser, url: str) -> Callable[[], None]:
    def get() -> None:
        answer = browser.get(url, secure=True)
        assert answer.status_code == 200, (url, answer.status_code)

    return get


def address(name: str, query: str) -> str:
    return f"{reverse(name)}?{query}" if query else reverse(name)


def raw(*queries: tuple[str, list[object]]) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            for sql, values in queries:
                cursor.execute(sql, values)
                cursor.fetchall()

    return run


def pages() -> Iterator[Row]:
    yield from _lists()
    yield from _delays()
    yield from _receivables()


# ─ The list of invoices ─────────────────────────────────────────────────────────────────────────
COLUMNS = """
    SELECT i.id, i.kind, i.status, i.number, i.title, i.currency, i.issue_date, i.due_date,
           i.total_minor, i.outstanding_minor, i.days_late, i.sent_at, c.name, t.name, t.mark
    FROM invoices_invoice i
    JOIN invoices_client c ON c.id = i.client_id
    JOIN invoices_clienttype t ON t.id = c.client_type_id
"""
TOTALS = """
    SELECT i.currency, COUNT(*), SUM(i.total_minor), SUM(i.outstanding_minor)
    FROM invoices_invoice i
"""
# Only where a client's type is asked for: joined for nothing, SQLite begins with the clients.
OF_CLIENTS = "JOIN invoices_client c ON c.id = i.client_id"
OVERDUE = "WHERE i.status = 'issued' AND i.kind = 'invoice' AND i.due_date < %s"


def _lists() -> Iterator[Row]:
    browser = signed_in()
    today = timezone.localdate()
    types = list(ClientType.objects.order_by("pk").values_list("pk", flat=True)[:2])
    of_types = f"{OVERDUE} AND c.client_type_id IN (%s, %s)"
    issued = "WHERE i.status <> 'void'"
    cases: list[tuple[str, str, str, list[object], str]] = [
        (
            "overdue of two types, by total",
            f"state=overdue&type={types[0]}&type={types[1]}&sort=-total",
            of_types,
            [today, *types],
            "i.total_minor DESC, i.id DESC",
        ),
        ("overdue, by due date", "state=overdue", OVERDUE, [today], "i.due_date, i.id"),
        ("everything, newest first", "", issued, [], "i.issue_date DESC, i.id DESC"),
    ]
    empty = getting(browser, EMPTY)
    for what, query, where, values, order in cases:
        page = getting(browser, address("invoices:list", f"{query}&size=50".lstrip("&")))
        sql = raw(
            (f"{COLUMNS} {where} ORDER BY {order} LIMIT 51", values),
            (f"{TOTALS} {OF_CLIENTS if 'c.' in where else ''} {where} GROUP BY i.currency", values),
        )
        spent, nothing, read = by_turns(page, empty, sql, runs=25)
        yield Row.of(
            f"list of 50: {what}",
            spent,
            [("an empty signed-in view", nothing), ("rows and totals in raw SQL", read)],
            most_times=3,
        )


# ─ The delay report ─────────────────────────────────────────────────────────────────────────────
def _delays() -> Iterator[Row]:
    browser = signed_in()
    today = timezone.localdate()
    least = Invoice.objects.order_by("issue_date").values_list("issue_date", flat=True).first()
    sql = raw(
        (
            """
            SELECT c.client_type_id, i.days_late, COUNT(*), SUM(i.paid_minor)
            FROM invoices_invoice i JOIN invoices_client c ON c.id = i.client_id
            WHERE i.kind = 'invoice' AND i.status IN ('issued', 'settled')
              AND i.issue_date BETWEEN %s AND %s
            GROUP BY c.client_type_id, i.days_late
            """,
            [least, today],
        )
    )
    floor = "one raw SQL group-by of the same invoices by client type and days late"
    since = today - timedelta(days=365)
    for name, what, query in (
        ("reports:delays", "delay report, the page", ""),
        ("reports:delays", "delay report, all five years", f"issued_from={least}"),
        ("reports:delays", "delay report, by client", "by=client"),
        ("reports:delays", "delay report, by month", f"by=month&issued_from={since}"),
        ("reports:delays-figures", "delay report, its figures as JSON", ""),
    ):
        url = address(name, query)
        if url:
            spent, read = by_turns(getting(browser, url), sql, runs=11)
            yield Row.of(what, spent, [(floor, read)], most_ms=300)


# ─ The report of receivables ───────────────────────────────────────────────────────────────────
def _receivables() -> Iterator[Row]:
    today = timezone.localdate()
    sql = raw(
        (f"{TOTALS} WHERE i.status = 'issued' AND i.issue_date <= %s GROUP BY i.currency", [today]),
        (
            """
            SELECT i.currency, i.kind, SUM(i.total_minor) FROM invoices_invoice i
            WHERE i.kind IN ('invoice', 'credit_note') AND i.status IN ('issued', 'settled')
              AND i.issue_date <= %s
            GROUP BY i.currency, i.kind
            """,
            [today],
        ),
    )
    floor = "what is open and what was ever invoiced, per currency in two raw SQL statements"
    figures, read = by_turns(lambda: positions(usual_start(today), today), sql, runs=11)
    yield Row.of("receivables, their figures", figures, [(floor, read)])
    page = getting(signed_in(), address("reports:receivables", ""))
    spent, read = by_turns(page, sql, runs=11)
    yield Row.of("receivables, the page", spent, [(floor, read)])


# ─ Queries ──────────────────────────────────────────────────────────────────────────────────────
def queries() -> Iterator[Fact]:
    """How many each page makes; the run compares them between a small and a large company."""
    browser = signed_in()
    for name, query in PAGES:
        url = address(name, query)
        if not url:
            continue
        get = getting(browser, url)
        get()
        with statements() as heard:
            get()
        yield Fact(f"{name}?{query}".rstrip("?"), str(len(heard)))
