"""Why a supply may be exempt from VAT: rows that the company keeps, sown with today's law."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any, Final

from django.db.models import Q

from invoices.models import ExemptionReason
from invoices.tax.territories import Territory

FRANCHISE: Final = ExemptionReason.Category.FRANCHISE.value
_LONG_AGO: Final = date(2000, 1, 1)
# (code of the list VATEX, what it is in French and English, article of the CGI). The sentences
# follow from the article; those of the CIBS come as new rows once the articles are settled, and
# the old ones end then (mentions of the CGI are tolerated until 31 December 2027).
_ARTICLES: Final = (
    ("VATEX-FR-CGI261-4", "Soins médicaux et paramédicaux", "Medical care", "261, 4, 1°"),
    (
        "VATEX-FR-CGI261-4",
        "Enseignement et formation professionnelle continue",
        "Teaching and continuing vocational training",
        "261, 4, 4° a",
    ),
    ("VATEX-FR-CGI261-4", "Cours particuliers", "Private lessons", "261, 4, 4° b"),
    ("VATEX-FR-CGI261-5", "Opérations immobilières", "Real estate", "261, 5"),
    (
        "VATEX-FR-CGI261-7",
        "Organismes sans but lucratif",
        "Non-profit bodies",
        "261, 7, 1°",
    ),
    (
        "VATEX-FR-CGI261B",
        "Groupements pour leurs membres",
        "Groups, for their members",
        "261 B",
    ),
    (
        "VATEX-FR-CGI261C-1",
        "Opérations bancaires et financières",
        "Banking and finance",
        "261 C, 1°",
    ),
    ("VATEX-FR-CGI261C-2", "Assurance et courtage", "Insurance and its brokers", "261 C, 2°"),
    (
        "VATEX-FR-CGI261D-2",
        "Location d’immeubles nus",
        "Letting of unfurnished premises",
        "261 D, 2°",
    ),
    (
        "VATEX-FR-CGI261D-4",
        "Location de logements meublés",
        "Letting of furnished dwellings",
        "261 D, 4°",
    ),
)
# (what it is in French and English, article, since when): the client in France accounts for the
# VAT, as for services from abroad, and the page names the article of that, not of the directive.
_REVERSED: Final = (
    (
        "Sous-traitance de travaux immobiliers",
        "Subcontracted construction work",
        "283, 2 nonies",
        date(2014, 1, 1),
    ),
    (
        "Déchets neufs d’industrie et matières de récupération",
        "Industrial waste and recyclable materials",
        "283, 2 sexies",
        date(2008, 1, 1),
    ),
)
# What follows by itself from the category of a line or the regime of the company: (category, code,
# what it is in French and English, sentence in French and English, source).
_STANDING: Final = (
    (
        "AE-EU",
        "VATEX-EU-AE",
        "Services à une entreprise d’un autre État de l’Union",
        "Services to a business of another state of the Union",
        "Autoliquidation de la TVA par le preneur (article 283-2 du CGI\u202f; article 196 de la "
        "directive 2006/112/CE).",
        "Reverse charge: VAT is accounted for by the customer (article 196 of Directive "
        "2006/112/EC).",
        "CGI 283, 2; directive 2006/112/EC, 196",
    ),
    (
        "K",
        "VATEX-EU-IC",
        "Livraison intracommunautaire",
        "Goods sent to a business of another state of the Union",
        "Livraison intracommunautaire exonérée de TVA (article 262 ter, I du CGI).",
        "Intra-Community supply exempt from VAT (article 138 of Directive 2006/112/EC).",
        "CGI 262 ter, I; directive 2006/112/EC, 138",
    ),
    (
        "G",
        "VATEX-EU-G",
        "Exportation de biens",
        "Export of goods",
        "Exportation exonérée de TVA (article 262, I du CGI).",
        "Export exempt from VAT (article 146 of Directive 2006/112/EC).",
        "CGI 262, I; directive 2006/112/EC, 146",
    ),
    (
        "O",
        "VATEX-EU-O",
        "Services hors du champ de la TVA française",
        "Services outside French VAT",
        "Opération non soumise à la TVA française (article 259 du CGI).",
        "Not subject to French VAT (article 259 of the French tax code).",
        "CGI 259, 1°",
    ),
    (
        "O-294",
        "VATEX-EU-O",
        "Guyane et Mayotte",
        "Guyane and Mayotte",
        "TVA non applicable en Guyane et à Mayotte (article 294, 1 du CGI).",
        "VAT does not apply in Guyane and Mayotte (article 294, 1 of the French tax code).",
        "CGI 294, 1",
    ),
    (
        "293B",
        "VATEX-FR-FRANCHISE",
        "Franchise en base",
        "Franchise",
        "TVA non applicable, article 293 B du CGI.",
        "VAT not applicable, article 293 B of the French tax code.",
        "CGI 293 B, 293 E",
    ),
)
SOWN: Final = (
    tuple(
        {
            "category": ExemptionReason.Category.EXEMPT.value,
            "code": code,
            "name_fr": french,
            "name_en": english,
            "sentence_fr": f"Exonération de TVA, article {article} du CGI.",
            "sentence_en": f"Exempt from VAT, article {article} of the French tax code.",
            "starts_on": _LONG_AGO,
            "source": f"CGI {article}",
        }
        for code, french, english, article in _ARTICLES
    )
    + tuple(
        {
            "category": ExemptionReason.Category.REVERSE_CHARGE.value,
            "code": "VATEX-EU-AE",
            "name_fr": french,
            "name_en": english,
            "sentence_fr": f"Autoliquidation de la TVA par le preneur, article {article} du CGI.",
            "sentence_en": "Reverse charge: VAT is accounted for by the customer, article "
            f"{article} of the French tax code.",
            "starts_on": since,
            "source": f"CGI {article}",
        }
        for french, english, article, since in _REVERSED
    )
    + tuple(
        {
            "category": category,
            "code": code,
            "name_fr": french,
            "name_en": english,
            "sentence_fr": sentence,
            "sentence_en": in_english,
            "starts_on": _LONG_AGO,
            "source": source,
        }
        for category, code, french, english, sentence, in_english, source in _STANDING
    )
)


def sow(**_signal: Any) -> None:
    """After each `migrate`: the reasons of the law of a category that has none yet."""
    there = set(ExemptionReason.objects.order_by().values_list("category", flat=True).distinct())
    ExemptionReason.objects.bulk_create(
        ExemptionReason(**each) for each in SOWN if each["category"] not in there
    )


def standing_of(category: str, territory: Territory) -> str:
    """The category of the rows whose sentence follows from that of a line by itself; "" of none."""
    if category == "O" and territory == Territory.DOM_WITHOUT_VAT:
        return str(ExemptionReason.Category.OVERSEAS)
    if category == "AE":
        return str(ExemptionReason.Category.ACROSS_BORDERS)
    return category if category in ("K", "G", "O") else ""


def standing_on(category: str, day: date) -> ExemptionReason | None:
    """The one that began last and has not ended."""
    holds = Q(ends_on=None) | Q(ends_on__gte=day)
    rows = ExemptionReason.objects.filter(holds, category=category, starts_on__lte=day)
    return rows.order_by("-starts_on", "-pk").first()


class Exemptions:
    """All reasons, read once and only when somebody asks."""

    @cached_property
    def by_id(self) -> dict[int, ExemptionReason]:
        return {row.pk: row for row in ExemptionReason.objects.all()}

    def on(self, day: date) -> list[ExemptionReason]:
        return [row for row in self.by_id.values() if row.holds_on(day)]

    def fits(self, pk: int, category: str) -> bool:
        """Whether a line of that category may name this reason."""
        return pk in self.by_id and self.by_id[pk].category == category
