"""Batches for tests of all pages, and which of their addresses ask before they act."""

from __future__ import annotations

from django.utils import timezone

from invoices.bulk import beginning
from invoices.models import Invoice
from tests.factories import make_draft, make_user


def make_batch(state="ready"):
    on, clerk = timezone.localdate(), make_user()
    chosen = Invoice.objects.filter(pk=make_draft(on=on).pk)
    found = beginning.begin(act="issue", chosen=chosen, by=clerk, on=on)
    if state == "stopped":
        beginning.start(batch_id=found.pk, by=clerk)
        found = beginning.stop(batch_id=found.pk)
    return found


OF_BATCHES = {
    "invoices:batch-start": (make_batch, {}),
    "invoices:batch-resume": (lambda: make_batch("stopped"), {}),
}
BEGIN_BATCHES = {
    "invoices:batch-new", "invoices:batch-stop", "invoices:copy", "invoices:attachment-add",
    "invoices:standing-files", "invoices:standing-file-remove",
    "invoices:attachment-remove", "invoices:attachment-show", "invoices:quote-attachment-add",
}  # fmt: skip
