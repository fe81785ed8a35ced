"""Does a fact bear the seal that the portal gave it? Without, which of its columns was changed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from billing_portal.seals import Verifier, changed, parts_of
from invoices.accounting.chain.reading import Fact, names_of
from invoices.models import ClientType
from invoices.models.facts import model_of

# Client type → those that were merged into it.
Merged = Mapping[int, Sequence[int]]


class UnknownKey(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def merged_types() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = ClientType.objects.filter(merged_into__isnull=False)
    for pk, into in rows.values_list("pk", "merged_into"):
        found.setdefault(into or 0, []).append(pk)
    return found


class Judge:
    """What is asked of each fact, looked up once for all of them."""

    def __init__(self) -> None:
        self.merged: Merged = merged_types()
        self.seals = Verifier()


def wrong(kind: str, fact: Fact, judge: Judge) -> str:
    """What is wrong with it, in words; empty when it is as it was sealed. Raises UnknownKey."""
    if fact.seal is None:
        return _("is not sealed: the portal did not write it, or its seal was taken away.")
    parts = parts_of(fact.seal)
    names = names_of(kind, parts.version) if parts else None
    if parts is None or names is None:
        return _("its seal was changed.")
    if not judge.seals.knows(parts.key):
        raise UnknownKey(parts.key)
    values = fact.values[parts.version]
    if judge.seals.holds(kind, values, parts):
        return ""
    if kind == "document":
        # Its client type may have been merged into another since.
        place = names.index("client_type_id")
        for before in judge.merged.get(values[place] or 0, ()):
            values = [*values[:place], before, *values[place + 1 :]]
            if judge.seals.holds(kind, values, parts):
                return ""
    columns = changed(names, fact.values[parts.version], parts)
    if not columns:
        return _("its seal was changed.")
    if len(columns) == len(names):
        return _("was not written by the portal.")
    return _("was changed after it was recorded: %(columns)s.") % {
        "columns": ", ".join(_called(kind, column) for column in columns)
    }


def _called(kind: str, column: str) -> str:
    below = {
        "lines": _("its lines"),
        "vat_breakdown": _("its VAT rows"),
        "instalments": _("its instalments"),
        "documents": _("its stored documents"),
    }
    if column in below:
        return below[column]
    columns = {field.attname: field for field in model_of(kind)._meta.concrete_fields}
    return str(columns[column].verbose_name)
