"""Lines of a quote as people type them: those of an invoice, and what of them is to choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy

from billing_portal.typed.texts import one_line
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.lines import TypedLine
from invoices.models import QuoteLine

Role = QuoteLine.Role
# One field for the role and whether it is ticked at first: two would contradict each other.
ROLES: Final = (
    ("included", gettext_lazy("Included")),
    ("option", gettext_lazy("Option")),
    ("option+", gettext_lazy("Option, ticked")),
    ("alternative", gettext_lazy("Alternative")),
    ("alternative+", gettext_lazy("Alternative, proposed")),
)


@dataclass
class TypedQuoteLine(TypedLine):
    """`role` as in ROLES; `section` is the heading above the line."""

    role: str = "included"
    section: str = ""

    # What the row of an invoice's line shows beside its own fields.
    more: ClassVar[str] = "invoices/quotes/partials/line_choice.html"
    fields: ClassVar[tuple[str, ...]] = (*typed.FIELDS, "role", "section")

    @property
    def roles(self) -> Sequence[tuple[str, Any]]:
        return ROLES


def from_rows(rows: Iterable[QuoteLine], currency: str) -> list[TypedQuoteLine]:
    # Rows of a quote have every column of a line that is read here.
    found: list[Any] = list(rows)
    return [
        TypedQuoteLine(
            **vars(line), role=row.role + ("+" if row.proposed else ""), section=row.section
        )
        for line, row in zip(typed.from_rows(found, currency), found, strict=True)
    ]


def clean(lines: Sequence[TypedQuoteLine], currency: str) -> list[dict[str, Any]]:
    """What `save_version` wants of each line that is not blank; problems land in its `errors`."""
    values = typed.clean(lines, currency)
    for line in lines:
        if line.place is not None:
            role, plus, _rest = line.role.partition("+")
            values[line.place] |= {
                "role": role,
                "proposed": bool(plus) and role != Role.INCLUDED,
                "section": one_line(line.section),
            }
    return values
