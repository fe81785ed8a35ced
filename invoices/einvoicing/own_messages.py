"""A lifecycle message of our own: written, kept, and put into the outbox."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from invoices.documents.cdar.message import Amount, Attachment, Message, Party, Reason, Status
from invoices.documents.cdar.writing import write
from invoices.documents.facturx.terms import type_code_of
from invoices.einvoicing.minor import minor_of
from invoices.einvoicing.taking_in import ZONE
from invoices.models import Invoice, LifecycleStatus, PlatformFlow, Transmission


@dataclass(frozen=True)
class Said:
    """What we say of a document; `at` in French local time."""

    code: str
    words: str
    at: datetime
    recipients: tuple[Party, ...]
    amounts: tuple[Amount, ...] = ()
    reasons: tuple[Reason, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def put_into_outbox(transmission: Transmission, said: Said) -> LifecycleStatus:
    """The row of the message, whose file leaves with the next sweep. Under the lock."""
    document, key = transmission.invoice, uuid.uuid4()
    assert document.issue_date is not None
    code = _type_code(document)
    name = f"{document.number}_{said.code}_{said.at:%Y%m%d%H%M%S}_{key.hex[:8]}"
    content = write(
        Message(
            id=f"{name}#{code}_{document.issue_date:%Y%m%d}",
            name=name,
            made_at=timezone.localtime(timezone.now(), ZONE),
            at=said.at,
            issuer=_seller(document),
            type_code="23",
            recipients=said.recipients,
            statuses=(_status(transmission, said, code),),
        )
    )
    digest = hashlib.sha256(content).hexdigest()
    flow = PlatformFlow.objects.create(
        reason_key=f"status:{key}",
        tracking_id=str(key),
        syntax="CDAR",
        filename=f"{name}.xml".replace("/", "-"),
        content=content,
        sha256=digest,
    )
    return LifecycleStatus.objects.create(
        transmission=transmission,
        flow=flow,
        code=said.code,
        words=said.words,
        at=said.at,
        reasons=[
            {"code": each.code, "text": each.text, "note": each.note} for each in said.reasons
        ],
        amounts=[
            {
                "kind": each.kind,
                "rate": None if each.rate is None else str(each.rate),
                "minor": minor_of(each.amount, each.currency),
                "currency": each.currency,
            }
            for each in said.amounts
        ],
        issuer_role="SE",
        issuer_name=_seller(document).name[:200],
        message_id=name[:120],
        number=document.number,
        issued_on=document.issue_date,
        filename=flow.filename,
        content=content,
        sha256=digest,
    )


def _type_code(document: Invoice) -> str:
    """As its e-invoice says it: a deposit and its credit note have codes of their own."""
    page = document.paper or {}
    names_one = page.get("corrects_number") or page.get("credited")
    names_none = bool(page.get("contract")) and not names_one
    return type_code_of(document.kind, document.purpose, names_none=names_none)


def _status(transmission: Transmission, said: Said, type_code: str) -> Status:
    document = transmission.invoice
    deposited = transmission.deposited_at or transmission.received_at
    return Status(
        number=document.number,
        type_code=type_code,
        issued_on=document.issue_date,
        code=said.code,
        words=said.words,
        seller=_seller(document).siren,
        deposited_at=timezone.localtime(deposited, ZONE) if deposited else None,
        amounts=said.amounts,
        reasons=said.reasons,
        attachments=said.attachments,
    )


def _seller(document: Invoice) -> Party:
    seller = _party(document, "seller")
    return Party(siren=_digits(seller.get("siren", "")), name=seller.get("name", ""), role="SE")


def buyer_of(transmission: Transmission) -> Party:
    buyer = _party(transmission.invoice, "buyer")
    return Party(
        siren=_digits(buyer.get("siren", "")),
        name=buyer.get("name", ""),
        role="BY",
        address=transmission.address,
    )


def _party(document: Invoice, which: str) -> dict[str, str]:
    """As the document names it; only what is issued here has one."""
    found = document.paper.get(which) if isinstance(document.paper, dict) else None
    return found if isinstance(found, dict) else {}


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
