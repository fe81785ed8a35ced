"""What a printed document says, all of it: the frozen source of the PDF, of the e-invoice and of
the hash.

An issued invoice stores `to_json()` of its Paper; nothing on the page comes from anywhere else, so
the page can be printed again in ten years, from the snapshot alone, whatever has become of the
client's row.
"""

import json
import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Self

from invoices.documents.look import NO_LOOK, Look
from invoices.documents.nature import NatureOfAll
from invoices.documents.totals import Totals, sub_unit

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"
QUOTE = "quote"
# France and its departments overseas, whose companies have a SIREN.
OF_FRANCE = ("FR", "GP", "MQ", "RE", "GF", "YT")


class PaperMalformed(Exception):
    """A stored snapshot is not one of a Paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    name: str
    address: tuple[str, ...] = ()
    country: str = ""  # ISO 3166 code, here and for the buyer
    legal_form: str = ""
    capital: str = ""
    siren: str = ""
    siret: str = ""
    rcs_city: str = ""
    vat_id: str = ""
    iban: str = ""
    bic: str = ""
    bank_name: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    # As in the last line of the address, apart.
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    name: str
    address: tuple[str, ...] = ()
    country: str = ""
    siren: str = ""
    vat_id: str = ""
    contact: str = ""
    reference: str = ""
    # As in the last line of the address, apart.
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """The first line of `description` is the name of what was sold; further lines are details.

    `unit` is a code of UN/ECE Recommendation 20 (DAY, HUR, C62…), printed as a word.
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    net_minor: int
    unit: str = ""
    vat_category: str = "S"
    vat_rate: Decimal = Decimal(0)
    discount_percent: Decimal = Decimal(0)
    discount_minor: int = 0
    # The heading above this line and those after it.
    section: str = ""
    # The number of the deposit that this line takes off, and the VAT that goes with it.
    deducts: str = ""
    deducted_vat_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAllowance:
    """A discount on the document, or a charge: what of it falls on one VAT rate."""

    amount_minor: int
    label: str = ""
    percent: Decimal = Decimal(0)
    vat_category: str = "S"
    vat_rate: Decimal = Decimal(0)
    is_charge: bool = False
    # UNTDID 5189 of a discount, 7161 of a charge.
    code: str = ""

    @property
    def signed_minor(self) -> int:
        """What it adds to the net."""
        return self.amount_minor if self.is_charge else -self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperVat:
    """`exemption_code` is of the list VATEX; "" where the text has to do."""

    basis_minor: int
    vat_minor: int
    vat_category: str = "S"
    vat_rate: Decimal = Decimal(0)
    exemption_code: str = ""
    exemption_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperDeposit:
    """A deposit that a final invoice takes off: what was billed of it and not credited since."""

    number: str
    issue_date: date
    net_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCredited:
    """An invoice that a credit note over several takes something off."""

    number: str
    issue_date: date
    net_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperInstalment:
    due_date: date
    amount_minor: int
    # Held back until that day: the last.
    is_retention: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Amounts are integers in the minor unit of `currency`; sentences are in `language`.

    A field added later needs a default, and defaults never change: a value equal to its default is
    not written, so that the bytes (and the hash) of an old snapshot stay what they were.
    """

    currency: str
    seller: Seller
    buyer: Buyer
    lines: tuple[PaperLine, ...]
    breakdown: tuple[PaperVat, ...]
    net_minor: int
    vat_minor: int
    total_minor: int
    kind: Literal["invoice", "credit_note", "quote"] = "invoice"
    # What an invoice is for; of a credit note, what the invoice was for that it credits.
    purpose: Literal["standard", "deposit", "final"] = "standard"
    language: Literal["fr", "en"] = "fr"
    number: str = ""
    title: str = ""
    issue_date: date | None = None
    due_date: date | None = None
    # Empty: due whole on the due date, which else is the last of these.
    instalments: tuple[PaperInstalment, ...] = ()
    # Of the total with VAT, where the last instalment is a retention.
    retention_percent: Decimal = Decimal(0)
    service_from: date | None = None
    service_until: date | None = None
    # With a country its last line is postal code and city; without one it is one of the buyer's.
    delivery_address: tuple[str, ...] = ()
    delivery_postal_code: str = ""
    delivery_city: str = ""
    delivery_country: str = ""
    # Where a service is that belongs to a building, an event or the like.
    supplied_at: tuple[str, ...] = ()
    supplied_in: str = ""
    purchase_order: str = ""
    nature: NatureOfAll = ""
    corrects_number: str = ""
    corrects_date: date | None = None
    # Of a final invoice, in the order of their lines.
    deposits: tuple[PaperDeposit, ...] = ()
    # Of a corrected invoice: the one in whose place it stands, and the note that credits that one.
    replaces_number: str = ""
    replaces_date: date | None = None
    # Of a credit note: why, in the words of a list.
    credit_reason: str = ""
    # Of one over several invoices: which; and the agreement by which it is granted (BT-12).
    credited: tuple[PaperCredited, ...] = ()
    contract: str = ""
    allowances: tuple[PaperAllowance, ...] = ()
    paid_minor: int = 0
    paid_on: date | None = None
    payment_terms: str = ""
    early_payment: str = ""
    late_penalty: str = ""
    recovery_indemnity: str = ""
    exemptions: tuple[str, ...] = ()
    vat_on_debits: bool = False
    vat_minor_in_eur: int | None = None
    # By which rate, of which day, from where.
    eur_rate: str = ""
    # The VAT group of which the seller is a member.
    vat_group: str = ""
    notes: str = ""
    # What only the e-invoice says (documents/facturx): goods or services and how they are paid
    # (BT-23), how platforms treat it (a note “BAR”), where they find the buyer (BT-49).
    billing_mode: str = ""
    treatment: str = ""
    electronic_address: str = ""
    electronic_address_scheme: str = ""
    # Of a credit note whose invoice stated none: the page does not either, an e-invoice has to.
    einvoice_vat_minor_in_eur: int | None = None
    vat_group_name: str = ""
    vat_group_address: str = ""
    vat_group_vat_id: str = ""
    # Of a quote: until when it can be accepted, what else may be taken, who accepted it and when.
    valid_until: date | None = None
    offered: tuple[PaperLine, ...] = ()
    accepted: tuple[str, ...] = ()
    look: Look = NO_LOOK
    # Of a page in two languages: the other one, and in it the sentences that `language` has above.
    second_language: Literal["", "fr", "en"] = ""
    second_terms: str = ""
    second_claims: tuple[str, ...] = ()
    second_mentions: tuple[str, ...] = ()

    @property
    def payable_minor(self) -> int:
        return self.total_minor - self.paid_minor

    @property
    def adjusted_minor(self) -> int:
        """What discounts and charges on the document add to the net of its lines."""
        return sum(each.signed_minor for each in self.allowances)

    @property
    def retention(self) -> PaperInstalment | None:
        return next((part for part in self.instalments if part.is_retention), None)

    @property
    def sub_unit(self) -> int:
        return sub_unit(self.currency)

    def to_json(self) -> dict[str, Any]:
        """Only str, int, bool, list and dict: decimals and days are strings."""
        encoded: dict[str, Any] = _encoded(self)
        return encoded

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Raises PaperMalformed when the snapshot lacks a field or has one that is unknown."""
        paper: Self = _decoded(cls, stored, "paper")
        return paper


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def canonical_bytes(paper: Paper | dict[str, Any]) -> bytes:
    """The same bytes for the same paper, on any database and in any key order: what the hash chain
    digests.

    Give it the stored snapshot to verify the books, so that not even a slip in from_json() could
    hide a change.
    """
    stored = paper.to_json() if isinstance(paper, Paper) else paper
    return _canonical(stored).encode()


def amounts(totals: Totals) -> dict[str, Any]:
    """The fields of a Paper that repeat what totals.compute() found; the lines are the caller's."""
    return {
        "currency": totals.currency,
        "net_minor": totals.net_minor,
        "vat_minor": totals.vat_minor,
        "total_minor": totals.total_minor,
        "breakdown": tuple(
            PaperVat(
                basis_minor=group.basis_minor,
                vat_minor=group.vat_minor,
                vat_category=group.vat_category,
                vat_rate=group.vat_rate,
            )
            for group in totals.breakdown
        ),
        "allowances": tuple(
            PaperAllowance(
                amount_minor=allowance.amount_minor,
                label=allowance.label,
                percent=allowance.percent,
                vat_category=allowance.vat_category,
                vat_rate=allowance.vat_rate,
            )
            for allowance in totals.allowances
        ),
    }


def _encoded(value: Any) -> Any:
    if is_dataclass(value):
        return {
            field.name: _encoded(getattr(value, field.name))
            for field in fields(value)
            if field.default is MISSING or getattr(value, field.name) != field.default
        }
    if isinstance(value, tuple):
        return [_encoded(item) for item in value]
    if isinstance(value, Decimal):
        # 2, 2.0 and 2.00 are one number and must be one snapshot; nor does zero have a sign.
        # Not normalize(), which rounds to the precision of the context.
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text in ("-0", "") else text
    if isinstance(value, date):
        return value.isoformat()
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decoded(wanted: Any, value: Any, path: str) -> Any:
    """`value` as the annotation `wanted` says, or PaperMalformed naming the `path` to it."""
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _decoded_fields(wanted, value, path)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is types.UnionType:
        return None if value is None else _decoded(arguments[0], value, path)
    if origin is tuple and isinstance(value, list):
        return tuple(
            _decoded(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(value)
        )
    if origin is Literal and value in arguments:
        return value
    try:
        if wanted is Decimal and isinstance(value, str):
            return Decimal(value)
        if wanted is date and isinstance(value, str):
            return date.fromisoformat(value)
    except (ArithmeticError, ValueError):
        raise PaperMalformed(f"{path} is {value!r}") from None
    if isinstance(wanted, type) and type(value) is wanted:
        return value
    raise PaperMalformed(f"{path} is {value!r}")


def _decoded_fields(cls: type, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise PaperMalformed(f"{path} is {value!r}")
    hints = _hints(cls)
    if unknown := value.keys() - hints.keys():
        raise PaperMalformed(f"{path} has unknown fields: {', '.join(sorted(unknown))}")
    known = {name: _decoded(hints[name], item, f"{path}.{name}") for name, item in value.items()}
    try:
        return cls(**known)
    except TypeError as error:
        raise PaperMalformed(f"{path}: {error}") from None
