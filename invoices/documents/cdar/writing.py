"""The seller's own lifecycle messages as XML, in the order of elements that the schema wants.

Two codes: 212, money received, in the form of the annexes of XP Z12-012; and 209, completed, which
no annex shows: words as a note, the file as an attachment, which the schema has. [U]
"""

from __future__ import annotations

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from invoices.documents.cdar.message import Amount, Attachment, Message, Party, Status

_RSM: Final = "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
_RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
_UDT: Final = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
_QDT: Final = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
_PREFIXES: Final = {"rsm": _RSM, "ram": _RAM, "udt": _UDT, "qdt": _QDT}
_SIREN, _ADDRESS, _PLATFORM = "0002", "0225", "0238"
# The administration (DFH) reads what is received: the portal publique under its own number.
ADMINISTRATION: Final = Party(siren="9998", name="PPF", role="DFH")
# MDT-88 beside MDT-105, as the use cases have them.
_DOCUMENT_STATUS: Final = {"212": "47", "209": ""}


def write(message: Message) -> bytes:
    """UTF-8 with its declaration. Raises KeyError for a code that we do not send."""
    root = etree.Element(f"{{{_RSM}}}CrossDomainAcknowledgementAndResponse", nsmap=_PREFIXES)
    context = _rsm(root, "ExchangedDocumentContext")
    _ram(_ram(context, "BusinessProcessSpecifiedDocumentContextParameter"), "ID", "REGULATED")
    guide = _ram(context, "GuidelineSpecifiedDocumentContextParameter")
    _ram(guide, "ID", "urn.cpro.gouv.fr:1p0:CDV:invoice")
    _exchanged(_rsm(root, "ExchangedDocument"), message)
    answer = _rsm(root, "AcknowledgementDocument")
    several = _ram(answer, "MultipleReferencesIndicator")
    _udt(several, "Indicator", "true" if len(message.statuses) > 1 else "false")
    _ram(answer, "TypeCode", message.type_code)
    _moment(_ram(answer, "IssueDateTime"), message.at)
    for status in message.statuses:
        _reference(_ram(answer, "ReferenceReferencedDocument"), status)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _exchanged(document: Any, message: Message) -> None:
    _ram(document, "ID", message.id)
    _ram(document, "Name", message.name)
    _moment(_ram(document, "IssueDateTime"), message.made_at)
    # A platform is the sender of every message, whoever wrote it.
    _ram(_ram(document, "SenderTradeParty"), "RoleCode", "WK")
    _party(_ram(document, "IssuerTradeParty"), message.issuer)
    for party in message.recipients:
        _party(_ram(document, "RecipientTradeParty"), party)


def _party(element: Any, party: Party) -> None:
    if party.siren:
        scheme = _PLATFORM if party.role == "DFH" else _SIREN
        _ram(element, "GlobalID", party.siren).set("schemeID", scheme)
    if party.name:
        _ram(element, "Name", party.name)
    _ram(element, "RoleCode", party.role)
    if party.address:
        address = _ram(_ram(element, "URIUniversalCommunication"), "URIID", party.address)
        address.set("schemeID", _ADDRESS)


def _reference(element: Any, status: Status) -> None:
    _ram(element, "IssuerAssignedID", status.number)
    if said := _DOCUMENT_STATUS[status.code]:
        _ram(element, "StatusCode", said)
    _ram(element, "TypeCode", status.type_code)
    if status.deposited_at is not None:
        _moment(_ram(element, "ReceiptDateTime"), status.deposited_at)
    for each in status.attachments:
        _attach(element, each)
    if status.issued_on is not None:
        _day(_ram(element, "FormattedIssueDateTime"), status.issued_on)
    _ram(element, "ProcessConditionCode", status.code)
    _ram(element, "ProcessCondition", status.words)
    issuer = _ram(_ram(element, "IssuerTradeParty"), "GlobalID", status.seller)
    issuer.set("schemeID", _SIREN)
    notes = [reason.note for reason in status.reasons if reason.note]
    if status.amounts or notes:
        detail = _ram(element, "SpecifiedDocumentStatus")
        _ram(detail, "SequenceNumeric", "1")
        for note in notes:
            _ram(_ram(detail, "IncludedNote"), "Content", note)
        for amount in status.amounts:
            _amount(_ram(detail, "SpecifiedDocumentCharacteristic"), amount)


def _attach(element: Any, attachment: Attachment) -> None:
    inside = base64.b64encode(attachment.content).decode()
    found = _ram(element, "AttachmentBinaryObject", inside)
    found.set("mimeCode", attachment.media_type)
    found.set("filename", attachment.filename)


def _amount(element: Any, amount: Amount) -> None:
    _ram(element, "TypeCode", amount.kind)
    _udt(_ram(element, "ValueChangedIndicator"), "IndicatorString", "false")
    value = _ram(element, "ValueAmount", format(amount.amount, "f"))
    value.set("currencyID", amount.currency)
    if amount.rate is not None:
        _ram(element, "ValuePercent", format(amount.rate.quantize(Decimal("0.01")), "f"))


# ─ The XML ──────────────────────────────────────────────────────────────────────────────────────
def _rsm(parent: Any, name: str) -> Any:
    return etree.SubElement(parent, f"{{{_RSM}}}{name}")


def _ram(parent: Any, name: str, text: str = "") -> Any:
    element = etree.SubElement(parent, f"{{{_RAM}}}{name}")
    if text:
        element.text = text
    return element


def _udt(parent: Any, name: str, text: str) -> Any:
    element = etree.SubElement(parent, f"{{{_UDT}}}{name}")
    element.text = text
    return element


def _moment(parent: Any, at: datetime | None) -> None:
    if at is not None:
        _udt(parent, "DateTimeString", at.strftime("%Y%m%d%H%M%S")).set("format", "204")


def _day(parent: Any, day: date) -> None:
    element = etree.SubElement(parent, f"{{{_QDT}}}DateTimeString")
    element.text = day.strftime("%Y%m%d")
    element.set("format", "102")
