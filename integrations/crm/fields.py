"""The fields that the mapping page chooses, read from an object of the CRM (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from stdnum.fr import siren as siren_number

from billing_portal.notices import Notice
from integrations.crm.terms import read_language, read_terms
from integrations.crm.values import cut, day_of, email_of, one_line, primary, vat_id_of


@dataclass(frozen=True)
class Source:
    """Where a value of ours comes from; `values` gives our value for an option's id."""

    target: str
    entity: str
    code: str
    name: str
    field_type: str
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    sources: tuple[Source, ...]
    # Names in small letters, and primary keys.
    client_types: Mapping[str, int]
    zone: tzinfo

    def of(self, entity: str) -> list[Source]:
        return [source for source in self.sources if source.entity == entity]


@dataclass
class Found:
    """Values by target; an empty field of the CRM is not in `values`, so ours stays."""

    values: dict[str, Any] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    # target → option id that we have no value for
    unknown: dict[str, str] = field(default_factory=dict)


def read_mapped(entity: str, rules: Rules, raw_of: Callable[[str], Any]) -> Found:
    """`raw_of` gives what the provider sent in the field of a code."""
    found = Found()
    for source in rules.sources:
        if source.entity != entity:
            continue
        raw = raw_of(source.code)
        if raw is None or raw in ("", [], {}):
            continue
        READERS[source.target](source, raw, rules, found)
    return found


def _option(source: Source, raw: Any) -> str | None:
    """The option's id as text, for a field with options."""
    if isinstance(raw, dict) and "id" in raw:
        raw = raw["id"]
    if isinstance(raw, list):
        raw = raw[0] if raw else None
    if source.field_type not in ("enum", "set", "varchar_options", "status"):
        return None
    return str(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else None


def _label(source: Source, option: str) -> str:
    return source.labels.get(option, "")


def _text(raw: Any) -> str:
    if isinstance(raw, dict):
        raw = raw.get("value", "")
    return one_line(str(raw)) if isinstance(raw, (str, int, Decimal)) else ""


def _unknown(source: Source, option: str, found: Found) -> None:
    found.unknown[source.target] = option
    label = _label(source, option)
    shown = f"{label} ({option})" if label else option
    found.notices.append(Notice("crm.option_unknown", field=source.name, option=shown))


def _read_client_type(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    if isinstance(raw, list) and len(raw) > 1:
        found.notices.append(Notice("crm.first_option", field=source.name))
    chosen = source.values.get(option or "", "")
    if chosen.isdecimal() and int(chosen) in rules.client_types.values():
        found.values[source.target] = int(chosen)
        return
    name = _label(source, option) if option else _text(raw)
    if (known := rules.client_types.get(name.casefold())) is not None:
        found.values[source.target] = known
    else:
        _unknown(source, option or name[:80], found)


def _read_terms(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = (source.values.get(option) or _label(source, option)) if option else _text(raw)
    if terms := read_terms(text):
        found.values[source.target] = terms
    elif option:
        _unknown(source, option, found)
    else:
        found.notices.append(Notice("crm.no_terms", text=text[:80]))


def _read_language(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = (source.values.get(option) or _label(source, option)) if option else _text(raw)
    if language := read_language(text):
        found.values[source.target] = language
    elif option:
        _unknown(source, option, found)
    else:
        found.notices.append(Notice("crm.no_language", text=text[:80]))


def _read_vat_id(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    text = _text(raw)
    try:
        found.values[source.target] = vat_id_of(text)
    except ValueError:
        found.notices.append(Notice("crm.vat_id_wrong", text=text[:40]))


def _read_siren(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    text = _text(raw)
    compact = re.sub(r"[\s.\-]", "", text)
    # A SIRET is the SIREN with five digits for the place.
    number = compact[:9] if re.fullmatch(r"\d{14}", compact) else compact
    if siren_number.is_valid(number):
        found.values[source.target] = number
    else:
        found.notices.append(Notice("crm.siren_wrong", text=text[:40]))


def _read_billing_email(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    if source.field_type == "people" and isinstance(raw, int):
        # A person: whoever writes the rows knows the address.
        found.values["billing_person"] = raw
        return
    text = primary(raw) if isinstance(raw, list) else _text(raw)
    addresses = [part for part in re.split(r"[,;\s]+", text) if part]
    email = email_of(addresses[0]) if addresses else ""
    if not email:
        found.notices.append(Notice("crm.billing_email_wrong", text=text[:80]))
        return
    if len(addresses) > 1:
        found.notices.append(Notice("crm.first_billing_email", email=email))
    found.values[source.target] = email


def _read_purchase_order(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = _label(source, option) or option if option else _text(raw)
    found.values[source.target] = cut(
        text or "", 120, Notice("crm.the_purchase_order"), found.notices
    )


def _read_service_period(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    start, end = (raw.get("value"), raw.get("until")) if isinstance(raw, dict) else (raw, None)
    begin = day_of(start, source.name, found.notices)
    until = day_of(end, source.name, found.notices) or begin
    if begin and until and until < begin:
        found.notices.append(Notice("crm.period_backwards", field=source.name))
    elif begin and until:
        found.values[source.target] = (begin, until)


READERS: Final = {
    "client_type": _read_client_type,
    "vat_id": _read_vat_id,
    "siren": _read_siren,
    "payment_terms": _read_terms,
    "billing_email": _read_billing_email,
    "language": _read_language,
    "purchase_order": _read_purchase_order,
    "service_period": _read_service_period,
}
