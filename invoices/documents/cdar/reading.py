"""A lifecycle message from bytes: no guess, and no trust in whoever sent it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

from invoices.documents.cdar.message import Amount, Message, Party, Reason, Status

LARGEST: Final = 2 * 2**20
MOST_STATUSES: Final = 500
_NS: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_ROOT: Final = f"{{{_NS['rsm']}}}CrossDomainAcknowledgementAndResponse"
# Format codes of UN/CEFACT 2379, as the annexes use them.
_FORMATS: Final = {"204": "%Y%m%d%H%M%S", "203": "%Y%m%d%H%M", "102": "%Y%m%d"}


class CdarUnreadable(Exception):
    """It is no lifecycle message; `code` says why: "xml", "size", "root" or "empty"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(content: bytes) -> Message:
    """Raises CdarUnreadable. What it lacks stays empty; texts are cut to what a row keeps."""
    if len(content) > LARGEST:
        raise CdarUnreadable("size")
    # No entity is replaced, no DTD loaded, nothing fetched, no depth beyond libxml2's own bound.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CdarUnreadable("xml") from error
    if root.tag != _ROOT:
        raise CdarUnreadable("root")
    document = _first(root, "rsm:ExchangedDocument")
    answer = _first(root, "rsm:AcknowledgementDocument")
    found = _all(answer, "ram:ReferenceReferencedDocument")[:MOST_STATUSES]
    if not found:
        raise CdarUnreadable("empty")
    return Message(
        id=_text(document, "ram:ID", 120),
        name=_text(document, "ram:Name", 200),
        made_at=_moment(document, "ram:IssueDateTime/udt:DateTimeString"),
        at=_moment(answer, "ram:IssueDateTime/udt:DateTimeString"),
        issuer=_party(_first(document, "ram:IssuerTradeParty")),
        type_code=_text(answer, "ram:TypeCode", 10),
        statuses=tuple(_status(each) for each in found),
        recipients=tuple(_party(each) for each in _all(document, "ram:RecipientTradeParty")[:20]),
    )


def _status(element: Any) -> Status:
    details = _all(element, "ram:SpecifiedDocumentStatus")[:50]
    return Status(
        number=_text(element, "ram:IssuerAssignedID", 100),
        type_code=_text(element, "ram:TypeCode", 10),
        issued_on=_day(element, "ram:FormattedIssueDateTime/qdt:DateTimeString"),
        code=_text(element, "ram:ProcessConditionCode", 10),
        words=_text(element, "ram:ProcessCondition", 100),
        reasons=tuple(reason for each in details if (reason := _reason(each)) != Reason()),
        amounts=tuple(amount for each in details for amount in _amounts(each)),
        seller=_text(element, "ram:IssuerTradeParty/ram:GlobalID", 20),
        deposited_at=_moment(element, "ram:ReceiptDateTime/udt:DateTimeString"),
    )


def _reason(detail: Any) -> Reason:
    notes = [_text(each, "ram:Content", 1_000) for each in _all(detail, "ram:IncludedNote")[:10]]
    return Reason(
        code=_text(detail, "ram:ReasonCode", 60),
        text=_text(detail, "ram:Reason", 1_000),
        action_code=_text(detail, "ram:RequestedActionCode", 20),
        action=_text(detail, "ram:RequestedAction", 500),
        note=" ".join(note for note in notes if note)[:1_000],
    )


def _amounts(detail: Any) -> Iterator[Amount]:
    for each in _all(detail, "ram:SpecifiedDocumentCharacteristic")[:50]:
        found = _first(each, "ram:ValueAmount")
        if found is None:
            continue
        amount = _number(found.text)
        if amount is not None:
            yield Amount(
                kind=_text(each, "ram:TypeCode", 10),
                amount=amount,
                currency=str(found.get("currencyID") or "EUR")[:3],
                rate=_number(_text(each, "ram:ValuePercent", 20)),
            )


def _party(element: Any) -> Party:
    return Party(
        siren=_text(element, "ram:GlobalID", 20),
        name=_text(element, "ram:Name", 200),
        role=_text(element, "ram:RoleCode", 10),
        address=_text(element, "ram:URIUniversalCommunication/ram:URIID", 100),
    )


# ─ The XML ──────────────────────────────────────────────────────────────────────────────────────
def _all(element: Any, path: str) -> list[Any]:
    return [] if element is None else list(element.findall(path, _NS))


def _first(element: Any, path: str) -> Any:
    return None if element is None else element.find(path, _NS)


def _text(element: Any, path: str, longest: int) -> str:
    found = _first(element, path)
    return "" if found is None or found.text is None else " ".join(found.text.split())[:longest]


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _moment(element: Any, path: str) -> datetime | None:
    found = _first(element, path)
    if found is None or found.text is None:
        return None
    text = found.text.strip()
    try:
        return datetime.strptime(text, _FORMATS[found.get("format", "204")])
    except (KeyError, ValueError):
        return None


def _day(element: Any, path: str) -> date | None:
    found = _moment(element, path)
    return None if found is None else found.date()
