"""Why a supply may be exempt from VAT: rows that the company keeps, sown with today's law."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any, Final

from invoices.models import ExemptionReason

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
SOWN: Final = tuple(
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
) + tuple(
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


def sow(**_signal: Any) -> None:
    """After each `migrate`: the reasons of the law of a category that has none yet."""
    there = set(ExemptionReason.objects.order_by().values_list("category", flat=True).distinct())
    ExemptionReason.objects.bulk_create(
        ExemptionReason(**each) for each in SOWN if each["category"] not in there
    )


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
