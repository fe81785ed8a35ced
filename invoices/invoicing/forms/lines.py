"""Lines of a draft as people type them.

No formset: two hundred lines are some two thousand form fields, which take Django longer to build
than everything else on the page; and a line that cannot be read must come back as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from babel.numbers import format_decimal
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import row_id
from billing_portal.money import MINUS, digits, from_minor, reader_locale
from billing_portal.typed import numbers
from billing_portal.typed.texts import Unreadable, one_line, shown
from billing_portal.typed.texts import lines as seen_lines
from billing_portal.words import labelled
from invoices.company.vat_faults import WITHOUT_VAT
from invoices.invoicing.draft_lines import MAX_LINES
from invoices.models import CatalogueItem, ExemptionReason, InvoiceLine
from invoices.models.natures import NATURES, USUAL_NATURE

FIELDS = ("description", "nature", "quantity", "unit", "unit_price", "discount", "vat", "item")
LABELS: dict[str, Any] = {
    "description": gettext_lazy("Description"),
    "nature": gettext_lazy("Nature"),
    "quantity": gettext_lazy("Quantity"),
    "unit_price": gettext_lazy("Unit price"),
    "discount": gettext_lazy("Discount"),
    "vat": gettext_lazy("VAT"),
}
UNITS: tuple[tuple[str, Any], ...] = (
    ("C62", gettext_lazy("piece")),
    ("DAY", gettext_lazy("day")),
    ("HUR", gettext_lazy("hour")),
    ("WEE", gettext_lazy("week")),
    ("MON", gettext_lazy("month")),
    ("ANN", gettext_lazy("year")),
    ("LS", gettext_lazy("lump sum")),
    ("KMT", gettext_lazy("km")),
    ("KGM", gettext_lazy("kg")),
    ("MTR", gettext_lazy("m")),
    ("MTK", gettext_lazy("m²")),
    ("LTR", gettext_lazy("l")),
)
# For sellers of other states: France has no zero rate.
ZERO = "Z:0"


@dataclass
class TypedLine:
    """One line, field by field as text; `errors` by field, "" for the line as a whole."""

    description: str = ""
    nature: str = USUAL_NATURE
    quantity: str = "1"
    unit: str = "C62"
    unit_price: str = ""
    discount: str = ""
    vat: str = "S:20"
    # The id of the item of the catalogue that it was made of.
    item: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    net: str = ""
    # Its place among the lines that are not blank, as save_draft counts them.
    place: int | None = None

    # What the form sends of a line.
    fields: ClassVar[tuple[str, ...]] = FIELDS

    @property
    def is_blank(self) -> bool:
        typed = (seen_lines(self.description), self.unit_price.strip(), self.discount.strip())
        return not any(typed)

    @property
    def told(self) -> list[str]:
        """The problems as sentences that name their field."""
        return [
            labelled(LABELS[name], text) if name in LABELS else text
            for name, text in self.errors.items()
        ]

    @property
    def vat_shown(self) -> str:
        return vat_label(self.vat)

    @property
    def natures(self) -> Sequence[tuple[str, Any]]:
        return NATURES

    @property
    def units(self) -> Sequence[tuple[str, Any]]:
        if any(code == self.unit for code, _word in UNITS):
            return UNITS
        return (*UNITS, (self.unit, self.unit))


def parts_of_vat(value: str) -> tuple[str, str, str]:
    """Category, rate and the id of an article, each as text."""
    category, rate, why, *_more = (*value.split(":"), "", "", "")
    return category, rate, why


def vat_label(value: str) -> str:
    category, rate, _why = parts_of_vat(value)
    if category == "S" or value == ZERO:
        percent = "0" if value == ZERO else rate
        return f"{written(Decimal(percent))}\u00a0%" if _french() else f"{percent}%"
    return str(WITHOUT_VAT.get(category, value))


def vat_value(category: str, rate: Decimal, exemption_id: int | None = None) -> str:
    """As the field has it: “S:5.5”, and of an exempt line with its reason “E:0:7”."""
    value = f"{category}:{format(Decimal(rate).normalize() + 0, 'f')}"
    return f"{value}:{exemption_id}" if exemption_id else value


@dataclass(frozen=True)
class VatChoices:
    """What a line may be taxed with: as the client's territory has it, and rates of elsewhere."""

    usual: Sequence[tuple[str, str]]
    elsewhere: Sequence[tuple[str, str]]
    # Why a line is exempt; what is not here, the note says.
    exempt: Sequence[tuple[str, str]]
    # Why a client in France accounts for the VAT.
    reversed: Sequence[tuple[str, str]]

    @property
    def values(self) -> set[str]:
        every = (*self.usual, *self.elsewhere, *self.exempt, *self.reversed)
        return {value for value, _label in every}


def vat_choices(
    here: Iterable[Decimal],
    everywhere: Iterable[Decimal],
    reasons: Iterable[ExemptionReason],
    *,
    zero: bool,
) -> VatChoices:
    """Of the rates in percent; what a line has already is added by the page, lawful or not."""
    usual = [vat_value("S", rate) for rate in here]
    others = [vat_value("S", rate) for rate in everywhere]
    without = [*(f"{category}:0" for category in WITHOUT_VAT), *([ZERO] if zero else [])]
    return VatChoices(
        [(value, vat_label(value)) for value in (*usual, *without)],
        [(value, vat_label(value)) for value in others if value not in usual],
        *(
            sorted(
                (vat_value(row.category, Decimal(0), row.pk), str(row))
                for row in reasons
                if row.category == category
            )
            for category in ("E", "AE")
        ),
    )


def _french() -> bool:
    return reader_locale() == "fr_FR"


def written(number: Decimal, places: int = 0) -> str:
    """A number for a field: no groups, no needless zeros, the reader's decimal sign."""
    number = Decimal(number)
    text = format(number.normalize() + 0, "f")
    whole, _dot, rest = text.partition(".")
    rest = rest.ljust(places, "0")
    sign = "," if _french() else "."
    return f"{whole}{sign}{rest}" if rest else whole


def bare(amount_minor: int, currency: str) -> str:
    """An amount of the grid, whose currency stands above: grouped, with its decimals."""
    text: str = format_decimal(
        from_minor(amount_minor, currency).amount,
        format="#,##0." + "0" * digits(currency) if digits(currency) else "#,##0",
        locale=reader_locale(),
    )
    return text.replace("-", MINUS)


def from_rows(rows: Iterable[InvoiceLine], currency: str) -> list[TypedLine]:
    places = digits(currency)
    found = []
    for row in rows:
        if row.discount_amount:
            discount = f"{written(row.discount_amount, places)} {currency}"
        else:
            discount = written(row.discount_percent) if row.discount_percent else ""
        found.append(
            TypedLine(
                description=row.description,
                nature=row.nature or USUAL_NATURE,
                quantity=written(row.quantity),
                unit=row.unit,
                unit_price="" if row.price_missing else written(row.unit_price, places),
                discount=discount,
                vat=vat_value(row.vat_category, row.vat_rate, row.exemption_id),
                item=str(row.item_id or ""),
            )
        )
    return found


Line = TypeVar("Line", bound=TypedLine)


def read(given: QueryDict | Mapping[str, str], make: type[Line]) -> list[Line]:
    """The lines of a posted form, in their order."""
    total = given.get("lines-TOTAL_FORMS", "") or "0"
    count = int(total) if total.isascii() and total.isdigit() and len(total) < 6 else 0
    found = []
    # Some more than are allowed, so that the page can say so and lose none of them.
    for n in range(min(count, 2 * MAX_LINES)):
        values: dict[str, Any] = {
            name: value.replace("\r\n", "\n")
            for name in make.fields
            if (value := given.get(f"lines-{n}-{name}")) is not None
        }
        if values:
            found.append(make(**values))
    return found


def clean(lines: Sequence[TypedLine], currency: str) -> list[dict[str, Any]]:
    """What `save_draft` wants for each line that is not blank; problems land in their `errors`."""
    found: list[dict[str, Any]] = []
    items = _known_items(lines)
    for line in lines:
        line.errors = {}
        line.place = None
        if line.is_blank:
            continue
        values = _cleaned(line, currency) | {"item_id": items.get(line.item)}
        if not line.errors:
            line.place = len(found)
            found.append(values)
    return found


def _known_items(lines: Sequence[TypedLine]) -> dict[str, int]:
    """Ids that came in the form and are of an item; a line without one is a line all the same."""
    given = {text: pk for line in lines if (pk := row_id(text := line.item)) is not None}
    if not given:
        return {}
    known = set(CatalogueItem.objects.filter(pk__in=given.values()).values_list("pk", flat=True))
    return {text: pk for text, pk in given.items() if pk in known}


def _cleaned(line: TypedLine, currency: str) -> dict[str, Any]:
    category, rate, why = parts_of_vat(line.vat)
    percent, amount = discount_of(line, currency)
    return {
        "description": seen_lines(line.description),
        "quantity": _number(line, "quantity", places=4, empty=Decimal(1), currency=""),
        "unit": one_line(line.unit)[:3] or "C62",
        "unit_price": _number(line, "unit_price", places=6, empty=Decimal(0), currency=currency),
        "price_missing": not line.unit_price.strip(),
        "discount_percent": percent,
        "discount_amount": amount,
        "vat_category": category,
        "vat_rate": _rate(line, rate),
        "exemption_id": row_id(why),
        "nature": line.nature,
    }


def _number(line: TypedLine, name: str, *, places: int, empty: Decimal, currency: str) -> Decimal:
    text = getattr(line, name).strip()
    if not text:
        return empty
    try:
        number = numbers.read_amount(text, currency) if currency else numbers.read_number(text)
    except Unreadable as problem:
        line.errors[name] = str(problem)
        return empty
    if numbers.is_finer(number, places):
        line.errors[name] = numbers.too_fine(places)
    return number


def _rate(line: TypedLine, text: str) -> Decimal:
    try:
        rate = Decimal(text or "0")
    except ArithmeticError:
        rate = Decimal(-1)
    if not rate.is_finite() or not 0 <= rate < 100:
        line.errors["vat"] = _("Choose a VAT rate.")
        return Decimal(0)
    return rate


def discount_of(line: TypedLine, currency: str) -> tuple[Decimal, Decimal]:
    """“10” and “10%” are per cent; “50 EUR” and “€50” an amount off the whole line."""
    text = line.discount.strip()
    if not text:
        return Decimal(0), Decimal(0)
    is_amount = numbers.names_a_currency(text)
    try:
        if is_amount:
            number = numbers.read_amount(text, currency)
        else:
            number = numbers.read_number(text.removesuffix("%"))
    except numbers.Ambiguous as question:
        line.errors["discount"] = str(question)
        return Decimal(0), Decimal(0)
    except Unreadable:
        line.errors["discount"] = _(
            "“%(text)s” is no discount: write 10 for per cent, or 50 %(currency)s."
        ) % {
            "text": shown(text),
            "currency": currency,
        }
        return Decimal(0), Decimal(0)
    if is_amount and numbers.is_finer(number, digits(currency)):
        line.errors["discount"] = numbers.too_fine(digits(currency))
    return (Decimal(0), number) if is_amount else (number, Decimal(0))
