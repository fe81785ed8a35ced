"""Each rule of e-invoices that fails, as a reason not to issue: in words, and with its field.

The table holds the rules that a document of ours can break. Any other is shown in its own words,
with its id, at the field that its place in the XML belongs to.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.documents.facturx import own_rules
from invoices.documents.facturx.judging import AGREEMENT, Failure
from invoices.invoicing.reasons import Reason


class Told(NamedTuple):
    """`anchor` as in Reason; "line:NAME" is that field of the line that the rule is about."""

    text: str | Promise
    anchor: str


_OUR_FAULT: Final = Told(
    gettext_lazy(
        "The e-invoice does not add up to the page: nothing you typed is wrong, tell whoever looks "
        "after the portal."
    ),
    "",
)
_NUMBER: Final = Told(
    gettext_lazy(
        "The number is not fit for an e-invoice: at most 35 letters without accents, digits and "
        "+ - _ /. Change the prefix."
    ),
    "numbers",
)
_RATE: Final = Told(gettext_lazy("Line %(line)s: France has never had this VAT rate."), "line:vat")
_NATURE: Final = Told(
    gettext_lazy("Say of each line whether it is goods or services."), "line:nature"
)
_DECIMALS: Final = Told(
    gettext_lazy("E-invoices know two decimals at most: this currency has more."), "#id_currency"
)
_VAT_IN_EUROS: Final = Told(
    gettext_lazy("The VAT in euros is missing: give the exchange rate of the day."), "rates"
)
_PRICE: Final = Told(
    gettext_lazy("Line %(line)s: the unit price is not one that an e-invoice may state."),
    "line:unit_price",
)
_QUANTITY: Final = Told(
    gettext_lazy("Line %(line)s: the quantity is not one that an e-invoice may state."),
    "line:quantity",
)
_WHY_NO_VAT: Final = Told(
    gettext_lazy("Say why no VAT is charged: the reason of the law is missing."), "#lines"
)
_SELLER_VAT_ID: Final = Told(
    gettext_lazy("Your VAT id is missing, or does not begin with FR."), "company"
)
_BUYER_VAT_ID: Final = Told(
    gettext_lazy("The client's VAT id is missing, or does not begin with its country."), "client"
)
_BUYER_SIREN: Final = Told(
    gettext_lazy("The client's SIREN is missing: an e-invoice to a French business needs it."),
    "client",
)
_SELLER_COUNTRY: Final = Told(gettext_lazy("The company's country is missing."), "company")
_BUYER_COUNTRY: Final = Told(gettext_lazy("The client's country is missing."), "client")
_DATES: Final = Told(gettext_lazy("A day lies before 2000 or after 2099."), "#id_issue_date")
_TABLE: Final[dict[str, Told]] = {
    # ── The seller
    "BR-FR-10": Told(gettext_lazy("The company's SIREN is missing or not of 9 digits."), "company"),
    "BR-FR-32": Told(gettext_lazy("A SIREN has 9 digits."), "client"),
    "BR-FR-09": Told(
        gettext_lazy("The company's SIRET has to be its SIREN and 5 more digits."), "company"
    ),
    "BR-FR-13": Told(gettext_lazy("The company's SIREN is missing."), "company"),
    "BR-FR-CO-15": Told(
        gettext_lazy("The VAT group is not named: fill it in under Settings → Invoicing."),
        "company",
    ),
    "BR-FR-CO-14": Told(
        gettext_lazy("The VAT group is not named: fill it in under Settings → Invoicing."),
        "company",
    ),
    "BR-06": Told(gettext_lazy("The company's name is missing."), "company"),
    "BR-08": _SELLER_COUNTRY,
    "BR-09": _SELLER_COUNTRY,
    "BR-CO-26": Told(gettext_lazy("The company has neither SIREN nor VAT id."), "company"),
    own_rules.SELLER_SIREN: Told(gettext_lazy("The company's SIREN has a wrong digit."), "company"),
    own_rules.SELLER_VAT_ID: Told(
        gettext_lazy("The company's VAT id has a wrong digit."), "company"
    ),
    own_rules.IBAN: Told(gettext_lazy("The company's IBAN has a wrong digit."), "company"),
    own_rules.BIC: Told(gettext_lazy("The company's BIC is none."), "company"),
    # ── The client
    "BR-07": Told(gettext_lazy("The client has no name."), "client"),
    "BR-10": _BUYER_COUNTRY,
    "BR-11": _BUYER_COUNTRY,
    "BR-FR-11": _BUYER_SIREN,
    "BR-FR-21": _BUYER_SIREN,
    "BR-FR-12": Told(
        gettext_lazy(
            "E-invoices cannot reach the client: give its SIREN, or the email that invoices go to."
        ),
        "client",
    ),
    "BR-FR-23": Told(
        gettext_lazy("The client's electronic address has signs that none may have."), "client"
    ),
    "BR-FR-25": Told(
        gettext_lazy("The client's email is longer than an e-invoice may state: 125 signs."),
        "client",
    ),
    own_rules.BUYER_SIREN: Told(gettext_lazy("The client's SIREN has a wrong digit."), "client"),
    own_rules.BUYER_VAT_ID: Told(gettext_lazy("The client's VAT id has a wrong digit."), "client"),
    "BR-AE-02": _BUYER_VAT_ID,
    "BR-AE-03": _BUYER_VAT_ID,
    "BR-IC-02": _BUYER_VAT_ID,
    "BR-IC-03": _BUYER_VAT_ID,
    "BR-IC-12": Told(
        gettext_lazy("The country that the goods go to is missing: it is that of the client."),
        "client",
    ),
    # ── Numbers and days
    "BR-02": Told(gettext_lazy("The number is missing."), ""),
    "BR-03": Told(gettext_lazy("The issue date is missing."), "#id_issue_date"),
    "BR-FR-01": _NUMBER,
    "BR-FR-02": _NUMBER,
    "BR-FR-03": _DATES,
    "BR-FR-CO-07": Told(gettext_lazy("The due date is before the issue date."), "#id_due_date"),
    own_rules.DUE: Told(gettext_lazy("The due date is missing."), "#id_due_date"),
    "BR-29": Told(gettext_lazy("The service ends before it begins."), "#id_service_until"),
    "BR-IC-11": Told(
        gettext_lazy("The day of the delivery is missing: give it as service from."),
        "#id_service_from",
    ),
    "BR-FR-CO-05": Told(
        gettext_lazy("A credit note names the number and the date of its invoice."), ""
    ),
    own_rules.SIGN: Told(gettext_lazy("A credit note states positive amounts."), ""),
    # ── Amounts and VAT
    "BR-FR-CO-12": _VAT_IN_EUROS,
    "BR-53": _VAT_IN_EUROS,
    "BR-DEC-15": _VAT_IN_EUROS,
    "BR-FR-16": _RATE,
    "BR-FR-DEC-04": _RATE,
    "BR-FR-08": _NATURE,
    "BR-FR-DEC-01": _DECIMALS,
    "BR-FR-DEC-02": _QUANTITY,
    "BR-FR-DEC-03": _PRICE,
    "BR-27": _PRICE,
    "BR-28": _PRICE,
    "BR-CO-09": _BUYER_VAT_ID,
    "BR-O-12": Told(
        gettext_lazy(
            "Lines outside the scope of VAT cannot stand beside other lines: make two invoices of "
            "them."
        ),
        "#lines",
    ),
    "BR-16": Told(gettext_lazy("There is no line."), "#lines"),
    "BR-25": Told(gettext_lazy("Line %(line)s has no description."), "line:description"),
    own_rules.LINE_NET: Told(
        gettext_lazy("Line %(line)s: quantity times price, less the discount, is not its net."),
        "line:unit_price",
    ),
    own_rules.VAT_AMOUNT: Told(gettext_lazy("The VAT is not its basis times the rate."), "#lines"),
    own_rules.GROUP_BASIS: Told(
        gettext_lazy("The lines of a VAT rate do not add up to its basis."), "#lines"
    ),
    own_rules.TOTALS: Told(gettext_lazy("The totals do not add up."), "#lines"),
    AGREEMENT: _OUR_FAULT,
}
# Whole families, where the rules of one differ in the category of VAT or the amount only.
_FAMILIES: Final = (
    (re.compile(r"BR-(E|AE|IC|G|O)-10$"), _WHY_NO_VAT),
    (re.compile(r"BR-(S|E|G)-0[234]$"), _SELLER_VAT_ID),
    (re.compile(r"BR-O-0[234]$"), _OUR_FAULT),
    (re.compile(r"BR-O-1[134]$"), _TABLE["BR-O-12"]),
    (re.compile(r"BR-DEC-\d+$"), _DECIMALS),
    (re.compile(r"BR-CO-1\d$|BR-(S|E|AE|IC|G|O)-0[89]$"), _OUR_FAULT),
    (re.compile(r"BR-FR-0[56]$"), _OUR_FAULT),
)
# The Factur-X profile numbers its rules about lists of codes: by the element that has the code.
_CODES: Final = {
    "CountryID": gettext_lazy("A country is none that e-invoices know (ISO 3166)."),
    "unitCode": gettext_lazy("Line %(line)s: the unit is none that e-invoices know (UN/ECE 20)."),
    "InvoiceCurrencyCode": gettext_lazy("The currency is none that e-invoices know (ISO 4217)."),
    "ExemptionReasonCode": gettext_lazy(
        "The reason for no VAT has a code that e-invoices do not know (VATEX): Settings → Rates."
    ),
}
_NOT_ALLOWED: Final = re.compile(r"Value of '[@\w:]*?@?(?:ram:)?(\w+)' is not allowed")


def reasons_of(failures: tuple[Failure, ...]) -> list[Reason]:
    """Each once, though two schematrons say it."""
    found: dict[tuple[str, str], Reason] = {}
    for failure in failures:
        reason = _reason(failure)
        found.setdefault((reason.text, reason.anchor), reason)
    return list(found.values())


def _reason(failure: Failure) -> Reason:
    told = _TABLE.get(failure.rule) or next(
        (told for family, told in _FAMILIES if family.match(failure.rule)), None
    )
    if told is None and (code := _NOT_ALLOWED.search(failure.text)) and code[1] in _CODES:
        rates = code[1] == "ExemptionReasonCode"
        told = Told(_CODES[code[1]], "rates" if rates else _place_of(failure))
    if told is None:
        text = _("The e-invoice breaks a rule: %(text)s") % {"text": failure.text[:300]}
        return Reason("einvoice", _with_id(text, failure.rule), _place_of(failure))
    text = str(told.text) % {"line": failure.line or 1}
    return Reason("einvoice", _with_id(text, failure.rule), _anchor(told.anchor, failure))


def _with_id(text: str, rule: str) -> str:
    """By its id the rule is found in the standard; ours are in none."""
    return text if rule.startswith("OWN-") or rule in text else f"{text} ({rule})"


def _anchor(anchor: str, failure: Failure) -> str:
    if not anchor.startswith("line:"):
        return anchor
    if not failure.line:
        return "#lines"
    return f"#id_lines-{failure.line - 1}-{anchor.removeprefix('line:')}"


def _place_of(failure: Failure) -> str:
    """The page on which the part of the XML is mended where the rule failed."""
    if failure.line:
        return "#lines"
    for part, anchor in (
        ("SellerTradeParty", "company"),
        ("SellerTaxRepresentative", "company"),
        ("BuyerTradeParty", "client"),
        ("ShipToTradeParty", "client"),
    ):
        if part in failure.place:
            return anchor
    return ""
