"""Books of the version before two days for every fact, brought to it."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("invoices", "0008_mails_worded_when_they_leave")]


def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def old(transactional_db):
    """The models of the version before, over empty tables; afterwards all is as it was."""
    from invoices.models import database_rules

    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    database_rules.remove(connection)
    yield migrate(BEFORE)
    database_rules.remove(connection)
    with connection.cursor() as cursor:
        for table in ("pastsettlement", "allocation", "payment", "invoice", "client", "clienttype"):
            # The rows of this test only; the next test wants empty tables.
            cursor.execute(f"DELETE FROM invoices_{table}")
    migrate(newest)
    database_rules.install(connection)


def test_old_books_get_effective_days_and_the_times_in_which_they_were_settled(old):

    def make(model, /, **fields):
        return old.get_model("invoices", model).objects.create(**fields)

    def invoice(number, *, paid=0, off=0, settled_on=None, paid_on=None, **more):
        left = 100_00 - paid - off
        return make(
            "Invoice",
            number=number,
            imported=True,
            client=client,
            currency="EUR",
            issue_date=date(2026, 6, 1),
            due_date=date(2026, 7, 1),
            net_minor=100_00,
            total_minor=100_00,
            paid_minor=paid,
            written_off_minor=off,
            outstanding_minor=left,
            status="issued" if left else "settled",
            settled_on=settled_on,
            paid_on=paid_on,
            days_late=(paid_on - date(2026, 7, 1)).days if paid_on else None,
            days_to_pay=(paid_on - date(2026, 6, 1)).days if paid_on else None,
            **more,
        )

    def pay(row, minor, on, reverses=None):
        payment = make(
            "Payment",
            client=client,
            received_on=on,
            currency="EUR",
            amount_minor=minor,
            allocated_minor=minor,
            reverses=reverses,
        )
        make(
            "Allocation",
            kind="payment",
            invoice=row,
            payment=payment,
            amount_minor=minor,
            applied_on=on,
        )
        return payment

    client_type = make("ClientType", name="SME")
    client = make("Client", name="Acme", client_type=client_type)
    early_day = date(2026, 5, 20)
    early = invoice("EARLY", paid=100_00, settled_on=early_day, paid_on=early_day)
    pay(early, 100_00, early_day)
    bounced = invoice("BOUNCED")
    first = pay(bounced, 100_00, date(2026, 6, 25))
    pay(bounced, -100_00, date(2026, 8, 10), reverses=first)
    june = date(2026, 6, 20)
    given_up = invoice("GIVEN-UP", paid=30_00, off=70_00, settled_on=date(2026, 9, 1), paid_on=june)
    pay(given_up, 30_00, june)
    make(
        "Allocation",
        kind="write_off",
        invoice=given_up,
        amount_minor=70_00,
        applied_on=date(2026, 9, 1),
    )

    new = migrate([("invoices", "0011_a_negative_allocation_takes_one_back")])
    found = {
        row.number: (row.settled_on, row.paid_on, row.days_late, row.days_to_pay)
        for row in new.get_model("invoices", "Invoice").objects.all()
    }
    assert found == {
        "EARLY": (date(2026, 6, 1), date(2026, 6, 1), -30, 0),
        "BOUNCED": (None, None, None, None),
        "GIVEN-UP": (date(2026, 9, 1), None, None, None),
    }
    past = new.get_model("invoices", "PastSettlement").objects.values_list(
        "invoice__number", "settled_on", "paid_on", "reopened_on"
    )
    assert list(past) == [("BOUNCED", date(2026, 6, 25), date(2026, 6, 25), date(2026, 8, 10))]
    rows = new.get_model("invoices", "Allocation").objects
    assert rows.get(amount_minor__lt=0).takes_back == rows.get(
        invoice=bounced.pk, amount_minor__gt=0
    )
    assert rows.get(invoice=early.pk).applied_on == date(2026, 6, 1)
