"""Small books with one of everything, made once; each tampering is rolled back."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date

from django.db import connection, transaction
from moneyed import Money

from invoices.accounting.chain import checking
from invoices.company import closing
from invoices.invoicing import crediting
from invoices.models import database_rules
from invoices.payments import recording, refunding
from tests.factories import make_company, make_invoice, make_issued

ON = date(2026, 11, 24)


class Undone(Exception):
    pass


@contextmanager
def rolled_back():
    """What happens inside never happened."""
    try:
        with transaction.atomic():
            yield
            raise Undone
    except Undone:
        pass


@contextmanager
def without_rules():
    """Somebody has the keys to the database; the rules are back before anybody looks."""
    database_rules.remove(connection)
    yield
    database_rules.install(connection)


def make_books():
    """Part paid, credited, in instalments, overpaid and refunded, imported; nothing else is done
    to the last one."""
    make_company()
    closing.close_books(until=date(2026, 1, 31), seen=None, reason="Year", by=None, on=ON)
    paid, credited = make_issued(), make_issued()
    parts = make_issued(dues_typed=[{"on": "2026-12-01", "minor": 60_000}, {"on": "2027-01-01"}])
    old = make_invoice(total_minor=100_00)
    recording.record_payment(
        client_id=paid.client_id,
        amount=Money("500", "EUR"),
        received_on=ON,
        reference="R-1",
        method="transfer",
        by=None,
        allocations=[(paid.pk, Money("400", "EUR"))],
    )
    recording.record_payment(
        client_id=old.client_id,
        amount=Money("40", "EUR"),
        received_on=ON,
        reference="R-2",
        method="transfer",
        by=None,
        allocations=[(old.pk, Money("40", "EUR"))],
    )
    crediting.issue_credit_note(invoice_id=credited.pk, lines=None, reason="x", by=None, on=ON)
    refunding.refund_client(
        client_id=paid.client_id,
        amount=Money("100", "EUR"),
        refunded_on=ON,
        reference="",
        method="transfer",
        reason="Too much",
        by=None,
        on=ON,
    )
    # With every column that says where it goes: a change of each is one that the schema would take.
    last = make_issued(
        delivered_to="other",
        delivery_address="Quai 4",
        delivery_postal_code="29200",
        delivery_city="Brest",
        delivery_country="FR",
        tie="building",
        tie_address="Phare",
        tie_postal_code="29200",
        tie_country="FR",
    )
    return {"paid": paid, "credited": credited, "parts": parts, "old": old, "last": last}


def found(checked=None):
    return [str(one) for one in checking.check(checked or checking.Checked())]
