"""Lifecycle messages as a platform writes them, in the form of the use cases of XP Z12-014."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

# Status → (its words, MDT-88, who says it: WK a platform, BY the buyer)
STATUSES: Final = {
    "200": ("Déposée", "10", "WK"),
    "201": ("Emise", "51", "WK"),
    "202": ("Reçue", "43", "WK"),
    "203": ("Mise_à_disposition", "48", "WK"),
    "204": ("Prise_en_charge", "45", "BY"),
    "205": ("Approuvée", "1", "BY"),
    "206": ("Approuvée_partiellement", "49", "BY"),
    "207": ("En_litige", "46", "BY"),
    "208": ("Suspendue", "39", "BY"),
    "210": ("Refusée", "50", "BY"),
    "211": ("Paiement_transmis", "47", "BY"),
    "213": ("Rejetée", "8", "WK"),
    "220": ("Annulée", "", "WK"),
}
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossDomainAcknowledgementAndResponse
 xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100">
 <rsm:ExchangedDocumentContext>
  <ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>REGULATED</ram:ID>
  </ram:BusinessProcessSpecifiedDocumentContextParameter>
  <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ID>
  </ram:GuidelineSpecifiedDocumentContextParameter>
 </rsm:ExchangedDocumentContext>"""


def message(
    *,
    number: str,
    issued_on: str,
    type_code: str,
    seller: str,
    buyer: str,
    code: str,
    at: datetime,
    reason_code: str = "",
    reason: str = "",
    note: str = "",
    amount: str = "",
) -> bytes:
    """`issued_on` is 20261127, `at` local time; `amount` is what 211 announces, in euros."""
    words, status, role = STATUSES.get(code, (code, "", "WK"))
    stamp = f"{at:%Y%m%d%H%M%S}"
    party = (
        "<ram:RoleCode>WK</ram:RoleCode>"
        if role == "WK"
        else f'<ram:GlobalID schemeID="0002">{buyer}</ram:GlobalID><ram:Name>ACHETEUR</ram:Name>'
        "<ram:RoleCode>BY</ram:RoleCode>"
    )
    details = _details(reason_code, reason, note, amount)
    shown = f"<ram:StatusCode>{status}</ram:StatusCode>" if status else ""
    text = f"""{_HEAD}
 <rsm:ExchangedDocument>
  <ram:ID>{escape(number)}_{code}_{stamp}#{type_code}_{issued_on}</ram:ID>
  <ram:Name>{escape(number)}-CDV-{code}</ram:Name>
  <ram:IssueDateTime><udt:DateTimeString format="204">{stamp}</udt:DateTimeString>
  </ram:IssueDateTime>
  <ram:SenderTradeParty><ram:RoleCode>WK</ram:RoleCode></ram:SenderTradeParty>
  <ram:IssuerTradeParty>{party}</ram:IssuerTradeParty>
  <ram:RecipientTradeParty><ram:GlobalID schemeID="0002">{seller}</ram:GlobalID>
   <ram:RoleCode>SE</ram:RoleCode><ram:URIUniversalCommunication>
   <ram:URIID schemeID="0225">{seller}</ram:URIID></ram:URIUniversalCommunication>
  </ram:RecipientTradeParty>
 </rsm:ExchangedDocument>
 <rsm:AcknowledgementDocument>
  <ram:MultipleReferencesIndicator><udt:Indicator>false</udt:Indicator>
  </ram:MultipleReferencesIndicator>
  <ram:TypeCode>{"305" if role == "WK" else "23"}</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="204">{stamp}</udt:DateTimeString>
  </ram:IssueDateTime>
  <ram:ReferenceReferencedDocument>
   <ram:IssuerAssignedID>{escape(number)}</ram:IssuerAssignedID>{shown}
   <ram:TypeCode>{type_code}</ram:TypeCode>
   <ram:FormattedIssueDateTime><qdt:DateTimeString format="102">{issued_on}</qdt:DateTimeString>
   </ram:FormattedIssueDateTime>
   <ram:ProcessConditionCode>{code}</ram:ProcessConditionCode>
   <ram:ProcessCondition>{escape(words)}</ram:ProcessCondition>
   <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">{seller}</ram:GlobalID>
   </ram:IssuerTradeParty>{details}
  </ram:ReferenceReferencedDocument>
 </rsm:AcknowledgementDocument>
</rsm:CrossDomainAcknowledgementAndResponse>
"""
    return text.encode()


def _details(reason_code: str, reason: str, note: str, amount: str) -> str:
    inner = ""
    if reason_code:
        inner += f"<ram:ReasonCode>{escape(reason_code)}</ram:ReasonCode>"
        inner += f"<ram:Reason>{escape(reason)}</ram:Reason>"
    if reason_code or amount:
        inner += "<ram:SequenceNumeric>1</ram:SequenceNumeric>"
    if note:
        inner += (
            f"<ram:IncludedNote><ram:Content>{escape(note)}</ram:Content>"
            "<ram:SubjectCode>AHN</ram:SubjectCode></ram:IncludedNote>"
        )
    if amount:
        inner += (
            "<ram:SpecifiedDocumentCharacteristic><ram:TypeCode>MPA</ram:TypeCode>"
            "<ram:ValueChangedIndicator><udt:IndicatorString>false</udt:IndicatorString>"
            "</ram:ValueChangedIndicator>"
            f'<ram:ValueAmount currencyID="EUR">{amount}</ram:ValueAmount>'
            "</ram:SpecifiedDocumentCharacteristic>"
        )
    return f"<ram:SpecifiedDocumentStatus>{inner}</ram:SpecifiedDocumentStatus>" if inner else ""
