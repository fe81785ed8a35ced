"""The one sign rule of lists: a credit note counts down, a draft does not count among documents.

Amounts are stored without a sign; the kind says it. Rows, exports and sums take it from here, so
that a column adds up to its foot whatever it is narrowed to.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from django.db.models import BigIntegerField, Case, F, Q, Value, When

from invoices.models import Invoice
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.filters import InvoiceFilter

# States whose lists hold invoices and credit notes, drafts and what is issued, side by side.
MIXED = ("", "all", "changed")


def counts(status: str, wanted: InvoiceFilter) -> bool:
    """Whether a row counts in the sums: in the list of drafts all do, elsewhere no draft."""
    return status != Invoice.Status.DRAFT or wanted.state == "draft"


def sign_of(kind: str) -> int:
    return -1 if kind == Invoice.Kind.CREDIT_NOTE else 1


class Sums(NamedTuple):
    """The names under which a list sorts and adds up its amounts."""

    total: str
    open: str


def with_signs(
    rows: InvoiceQuerySet, wanted: InvoiceFilter, open_name: str, total_name: str = "total_minor"
) -> tuple[InvoiceQuerySet, Sums]:
    """The rows with signed amounts; plain columns where all are issued invoices, as most are."""
    if wanted.state not in (*MIXED, "draft", "credit") and not wanted.kind:
        return rows, Sums(total_name, open_name)
    whole = BigIntegerField()
    credit, draft = Q(kind=Invoice.Kind.CREDIT_NOTE), Q(status=Invoice.Status.DRAFT)
    nothing = [When(draft, then=Value(0, output_field=whole))]

    def signed(name: str, *without: When) -> Case:
        return Case(*without, When(credit, then=-F(name)), default=F(name), output_field=whole)

    annotated: Any = rows.annotate(
        counted_minor=signed(total_name, *([] if wanted.state == "draft" else nothing)),
        owed_minor=signed(open_name, *nothing),
        drafts=Case(When(draft, then=1), default=0, output_field=whole),
    )
    return cast("InvoiceQuerySet", annotated), Sums("counted_minor", "owed_minor")
