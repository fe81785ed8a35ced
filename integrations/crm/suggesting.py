"""Which fields of the CRM hold our values: as chosen, and as their names suggest."""

from __future__ import annotations

import re
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.crm.fields import Rules, Source
from integrations.crm.terms import read_language, read_terms
from integrations.models import Connection, ExternalField, FieldMapping
from invoices.models import ClientType
from invoices.models.terms import TermsKind

Target = FieldMapping.Target
# In English and French, the more telling name first.
NAMES: Final[dict[str, str]] = {
    Target.CLIENT_TYPE: r"(client|customer|account) ?(type|category)|type de client|segment",
    Target.VAT_ID: r"\bvat\b|\btva\b|tax id",
    Target.SIREN: r"siren|siret",
    Target.PAYMENT_TERMS: r"payment terms?|(conditions?|d[ée]lai) de (paiement|r[èe]glement)",
    Target.BILLING_EMAIL: r"(billing|invoic\w+|accounting) e?-?mail|e-?mail .*(factur|compta)",
    Target.LANGUAGE: r"^(document )?language|^langue",
    Target.PURCHASE_ORDER: r"purchase order|\bp\.?o\.? ?(number|no|#)|(bon|n°) de commande",
    Target.SERVICE_PERIOD: r"(service|billing) period|p[ée]riode",
}
# Where a value may come from, the likeliest first.
ENTITIES: Final[dict[str, tuple[str, ...]]] = {
    Target.PURCHASE_ORDER: ("deal",),
    Target.SERVICE_PERIOD: ("deal",),
}
CLIENT_ENTITIES: Final = ("organization", "deal", "person")


def load_rules(connection: Connection) -> Rules:
    fields = {(each.entity, each.code): each for each in connection.fields.all()}
    sources = []
    for row in connection.mappings.order_by("pk"):
        known = fields.get((row.entity, row.code))
        if known is None:
            continue
        labels = {str(each["id"]): str(each["label"]) for each in known.options}
        sources.append(
            Source(
                row.target, row.entity, row.code, known.name, known.field_type, labels, row.options
            )
        )
    types = {name.casefold(): pk for pk, name in ClientType.objects.values_list("pk", "name")}
    return Rules(tuple(sources), types, timezone.get_default_timezone())


def entities_of(target: str) -> tuple[str, ...]:
    return ENTITIES.get(target, CLIENT_ENTITIES)


def suggested(target: str, fields: list[ExternalField]) -> ExternalField | None:
    """The field whose name speaks of `target`, if there is one."""
    for entity in entities_of(target):
        for field in fields:
            if (
                field.entity == entity
                and field.is_custom
                and re.search(NAMES[target], field.name, re.I)
            ):
                return field
    return None


def suggest_mappings(connection: Connection) -> None:
    """A first mapping, so that the first import brings in as much as it can."""
    fields = list(connection.fields.all())
    for target in Target.values:
        if field := suggested(target, fields):
            FieldMapping.objects.get_or_create(
                connection=connection,
                target=target,
                defaults={
                    "entity": field.entity,
                    "code": field.code,
                    "options": option_values(target, field, create_types=True),
                },
            )


def option_values(
    target: str, field: ExternalField, *, create_types: bool = False
) -> dict[str, str]:
    """Our value for each option whose label we understand."""
    found = {}
    for option in field.options:
        value = ""
        if target == Target.CLIENT_TYPE:
            value = client_type_for(option["label"], create=create_types)
        elif target == Target.PAYMENT_TERMS and (terms := read_terms(option["label"])):
            value = f"{terms[0]}:{terms[1]}"
        elif target == Target.LANGUAGE:
            value = read_language(option["label"]) or ""
        if value:
            found[str(option["id"])] = value
    return found


def terms_text(kind: str, days: int) -> str:
    named = {"days": days}
    if kind == TermsKind.END_OF_MONTH_AFTER:
        return _("%(days)s days, then end of month") % named
    if kind == TermsKind.END_OF_MONTH_BEFORE:
        return _("end of month, then %(days)s days") % named
    return _("%(days)s days") % named if days else _("on receipt")


def client_type_for(label: str, *, create: bool) -> str:
    """The key, as text, of the client type of that name; made if asked, with its mark."""
    name = label.strip()[:80]
    row = ClientType.objects.filter(name__iexact=name).first()
    if row is None and create and name:
        marks = {str(text).casefold(): value for value, text in ClientType.Mark.choices}
        mark = marks.get(name.casefold(), ClientType.Mark.NONE)
        if ClientType.objects.filter(mark=mark).exists():
            mark = ClientType.Mark.NONE
        place = list(ClientType.Mark.values).index(mark) + 1
        row = ClientType.objects.create(
            name=name, mark=mark, position=place * 10 if mark != ClientType.Mark.NONE else 100
        )
    return str(row.pk) if row else ""
