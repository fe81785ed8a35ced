"""Why a supply may be exempt from VAT: rows that the company keeps, sown with today's law."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any, Final

from django.db.models import Q

from invoices.documents.nature import Nature
from invoices.models import ExemptionReason
from invoices.tax.supplies import Supply
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
        "AE194",
        "VATEX-EU-AE",
        "Services liés à un immeuble ou à une manifestation dans l’État du client",
        "Services about a building or event in the state of the client",
        "Autoliquidation de la TVA par le preneur\u202f: prestation située dans un autre État "
        "membre (article 259 A du CGI\u202f; article 194 de la directive 2006/112/CE).",
        "Reverse charge: the service takes place in another member state, where VAT is accounted "
        "for by the customer (article 194 of Directive 2006/112/EC).",
        "CGI 259 A; directive 2006/112/EC, 47, 53 to 55 and 194, as the state has it",
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
        "G-294",
        "VATEX-EU-G",
        "Livraison entre la métropole et l’outre-mer",
        "Goods between the metropole and overseas",
        "Livraison assimilée à une exportation, exonérée de TVA (articles 262, I et 294, 2 du "
        "CGI).",
        "Treated as an export, exempt from VAT (articles 262, I and 294, 2 of the French tax "
        "code).",
        "CGI 262, I; 294, 2",
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
        "O-259",
        "VATEX-EU-O",
        "Services liés à un immeuble ou à une manifestation hors de France",
        "Services about a building or event outside France",
        "Prestation située hors de France, non soumise à la TVA française (article 259 A du CGI).",
        "The service takes place outside France and is not subject to French VAT (article 259 A of "
        "the French tax code).",
        "CGI 259 A; directive 2006/112/EC, 47, 48, 53 to 55",
    ),
    (
        "O-256",
        "VATEX-EU-O",
        "Vendeur établi dans une collectivité d’outre-mer",
        "Seller in an overseas collectivity",
        "Opération réalisée hors du territoire de la TVA française (article 256-0 du CGI).",
        "Supplied from outside the territory of French VAT (article 256-0 of the French tax code).",
        "CGI 256-0; directive 2006/112/EC, 5 and 6",
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


_KINDS: Final = {
    "AE": ("AE-EU", "AE194"),
    "K": ("K",),
    "G": ("G", "G-294"),
    "O": ("O", "O-259", "O-294", "O-256"),
}


def standing_of(category: str, supply: Supply, natures: Iterable[str] = ("",)) -> list[str]:
    """The categories of the rows whose sentences follow from that of lines of these natures by
    itself, in order; none of what is exempt by an article that somebody chose."""
    if category not in _KINDS:
        return []
    found = {_standing_of(category, supply, nature) for nature in natures}
    return [kind for kind in _KINDS[category] if kind in found]


def _standing_of(category: str, supply: Supply, nature: str) -> str:
    seller, place = supply.seller.territory, supply.place_of(nature).territory
    if category == "AE":
        return "AE194" if supply.tied else "AE-EU"
    if category == "G":
        goods = supply.place_of(Nature.GOODS)
        within_france = supply.seller.of_french_law and goods.of_french_law
        return "G-294" if within_france and goods.territory != Territory.COLLECTIVITY else "G"
    if category != "O":
        return category
    if seller == Territory.COLLECTIVITY:
        return "O-256"
    if place == Territory.DOM_WITHOUT_VAT or (
        seller == Territory.DOM_WITHOUT_VAT and nature == Nature.GOODS
    ):
        return "O-294"
    return "O-259" if supply.tied and nature != Nature.GOODS else "O"


def as_said_before(category: str, said: Iterable[str]) -> list[ExemptionReason]:
    """The rows of a category whose sentence stands among those of an issued page."""
    spoken = list(said)
    rows = ExemptionReason.objects.filter(category__in=_KINDS.get(category, ()))
    return [row for row in rows if row.sentence_fr in spoken or row.sentence_en in spoken]


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
