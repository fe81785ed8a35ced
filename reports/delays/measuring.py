"""How late invoices are paid, and how long they take, for any group of them.

One observation per invoice, its last payment. An invoice still open on the as-of day is censored at
its age, never left out and never counted as paid; one that a credit note or a write-off closed was
withdrawn, and is censored on that day (payments/settling.py says when money paid it all the same).
All is read as it was at the end of the as-of day: paid then and bounced since is paid.

Invoices are counted per whole day (reading.py), the estimator reads those counts: figures are exact
and cost as much as there are different days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.company.currencies import minor_units
from invoices.models import Client, ClientType, Invoice
from invoices.models.dues import WHOLE
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.filters import InvoiceFilter, narrowed
from invoices.selections.sql import first_day

By = Literal["client_type", "client", "owner", "month"]
BYS: tuple[By, ...] = ("client_type", "client", "owner", "month")
Measure = Literal["late", "to_pay"]
MEASURES: tuple[Measure, ...] = ("late", "to_pay")

# Upper ends in major units of the company's currency, for invoices of usual size; no last end.
AMOUNT_CLASSES: tuple[int, ...] = (2_000, 5_000, 10_000, 20_000)
# Days late, both ends included.
LATE_CLASSES: tuple[tuple[int | None, int | None], ...] = (
    (None, 0),
    (1, 15),
    (16, 30),
    (31, 60),
    (61, None),
)


@dataclass(frozen=True)
class Scope:
    """Which invoices a report looks at: issued in a period, seen at the end of `as_of`."""

    as_of: date
    issued_from: date | None = None
    issued_to: date | None = None
    client_types: tuple[int, ...] = ()
    # Clients count with their type of today instead of the one that each invoice keeps.
    type_today: bool = False
    client: int | None = None
    owner: int | None = None
    currency: str = ""

    @property
    def until(self) -> date:
        """The last issue day looked at."""
        return min(self.as_of, self.issued_to) if self.issued_to else self.as_of

    @property
    def wanted(self) -> InvoiceFilter:
        """The filter of the invoice list that shows exactly these invoices."""
        return InvoiceFilter(
            state="issued",
            as_of=self.as_of,
            issued_from=self.issued_from,
            issued_to=self.issued_to,
            type=self.client_types,
            type_today=self.type_today,
            client=self.client,
            owner=self.owner,
            currency=self.currency,
        )

    def rows(self) -> InvoiceQuerySet:
        """The invoices, each once: what is due of them in instalments is the caller's to ask
        (`models.dues`)."""
        return narrowed(Invoice.objects.all(), self.wanted, self.as_of, WHOLE)


def amount_classes(minor: int, count: int, own: str) -> tuple[int, ...]:
    """The usual classes, times or over ten as often as the mean invoice asks for: `count` invoices
    come to `minor`."""
    if not minor:
        return AMOUNT_CLASSES
    mean = Fraction(minor, count * minor_units(own))
    factor = Fraction(1)
    while mean < 1_600 * factor and factor > Fraction(1, 100):
        factor /= 10
    while mean >= 16_000 * factor and factor < 1000:
        factor *= 10
    return tuple(int(end * factor) for end in AMOUNT_CLASSES)


def labels(by: By, keys: Iterable[Any]) -> dict[Any, str]:
    """Names of the groups, in the order in which people expect them."""
    wanted = set(keys)
    if by == "month":
        return {key: first_day(key).strftime("%Y-%m") for key in sorted(wanted)}
    names: dict[Any, str]
    if by == "client_type":
        names = {t.pk: t.name for t in ClientType.objects.all() if t.pk in wanted}
    elif by == "client":
        found = Client.objects.order_by("name", "pk")
        if len(wanted) < 500:
            found = found.filter(pk__in=wanted)
        names = {pk: name for pk, name in found.values_list("pk", "name") if pk in wanted}
        names = _told_apart(names, {pk: f"#{pk}" for pk in names})
    else:
        people = User.objects.filter(pk__in=wanted - {None}).order_by("name", "email")
        names = {person.pk: person.name or person.email for person in people}
        emails = {person.pk: person.email for person in people}
        names = _told_apart(names, emails)
        if None in wanted:
            names[None] = _("No seller named")
    return names


def _told_apart(names: Mapping[Any, str], marks: Mapping[Any, str]) -> dict[Any, str]:
    """Two of one name are two groups: each with what tells it from the other."""
    times = Counter(names.values())
    return {
        key: f"{name} ({marks[key]})" if times[name] > 1 else name for key, name in names.items()
    }
