"""By what invoices are found: the indexes of their table."""

from django.db import models
from django.db.models import Q

INVOICE_INDEXES = [
    # For the reference itself: while a row of books that come in waits for another one, SQLite
    # looks whether anything names the invoice that it writes: without this, in the whole table.
    models.Index(
        fields=["replaces"],
        condition=models.Q(replaces__isnull=False),
        name="invoices_by_what_they_replace",
    ),
    models.Index(fields=["status", "next_due", "id"], name="invoice_status_due"),
    models.Index(fields=["issue_date", "id"], name="invoice_issued_on"),
    # What clients owe, without the wide rows. "kind" stands before "status" for SQLite: it counts
    # the columns that an index shares with a question, and would rather read all invoices of the
    # report below, which begins with it, than those of one client. So does the day before the
    # currency: without it, who is late would be looked for among all that are due.
    models.Index(
        fields=["client", "kind", "status", "next_due", "currency", "outstanding_minor"],
        name="invoice_of_client",
    ),
    models.Index(fields=["settled_on"], name="invoice_settled_on"),
    # Every delay asks whether there are any, and mostly there are none.
    models.Index(
        fields=["observed_from"],
        condition=Q(observed_from__isnull=False),
        name="invoice_seen_late",
    ),
    # All that reports/delays.py reads, so that it never touches the wide rows themselves:
    # on SQLite three to ten times faster (the printed page is stored in the row).
    models.Index(
        fields=[
            "kind",
            "issue_date",
            "status",
            "client",
            "client_type",
            "owner",
            "currency",
            "due_date",
            "settled_on",
            "paid_on",
            "days_late",
            "days_to_pay",
            "paid_minor",
            "total_minor",
            "outstanding_minor",
            "exchange_rate",
        ],
        name="invoice_report_cover",
    ),
]
