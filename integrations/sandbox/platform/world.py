"""What a platform holds: files with their checks, messages, and the directory."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from integrations.sandbox.platform.messages import message

PARIS: Final = ZoneInfo("Europe/Paris")
_SECOND: Final = timedelta(seconds=1)
USUAL_STORY: Final = ("200", "202", "203")
_RAM: Final = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


class Refused(Exception):
    """A file that the door does not take: status, code and message of the answer."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class File:
    """A flow of the norm; `shown` is its JSON."""

    id: str
    type: str
    direction: str
    syntax: str
    name: str
    content: bytes
    submitted_at: datetime
    updated_at: datetime
    tracking_id: str = ""
    rule: str = "B2B"
    rule_given: bool = False
    profile: str = ""
    acknowledged: str = "Ok"
    details: list[dict[str, str]] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def shown(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"status": self.acknowledged}
        if self.details:
            answer["details"] = self.details
        shown: dict[str, Any] = {
            "submittedAt": stamp(self.submitted_at),
            "updatedAt": stamp(self.updated_at),
            "flowId": self.id,
            "flowType": self.type,
            "processingRule": self.rule,
            "processingRuleSource": "Input" if self.rule_given else "Computed",
            "flowDirection": self.direction,
            "flowSyntax": self.syntax,
            "acknowledgement": answer,
        }
        if self.tracking_id:
            shown["trackingId"] = self.tracking_id
        if self.profile:
            shown["flowProfile"] = self.profile
        return shown


@dataclass(frozen=True)
class Deposited:
    """What the messages about an invoice have to name."""

    number: str
    issued_on: str
    type_code: str
    seller: str
    buyer: str


class World:
    """`stories` say which statuses follow by themselves, by the buyer's SIREN: of others the
    usual ones. Each status is a code, or one with its reason: ("207", "TX_TVA_ERR", text)."""

    def __init__(
        self,
        directory: Mapping[str, Iterable[str]] | None = None,
        stories: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.files: dict[str, File] = {}
        self.directory = {siren: list(each) for siren, each in (directory or {}).items()}
        self.stories = {siren: list(each) for siren, each in (stories or {}).items()}
        self.deposited: dict[str, Deposited] = {}
        # Where the checks of the next files fail: reason code and text.
        self.next_error: tuple[str, str] | None = None
        self.next_refusal: tuple[str, str] | None = None
        self._last = datetime.now(UTC)
        # When each invoice was last spoken of.
        self.said_at: dict[str, datetime] = {}

    # ─ What comes in ────────────────────────────────────────────────────────────────────────────
    def take(self, info: Mapping[str, Any], content: bytes, name: str) -> File:
        """A file at the door. Raises Refused."""
        with self.lock:
            tracking_id = str(info.get("trackingId") or "")
            if not content:
                raise Refused(400, "EmptyFlow", "The file is empty.")
            if self.next_refusal:
                refusal, self.next_refusal = self.next_refusal, None
                raise Refused(422, *refusal)
            digest = hashlib.sha256(content).hexdigest()
            if info.get("sha256") not in (None, digest):
                raise Refused(422, "ChecksumMismatch", "The checksum is another one.")
            if tracking_id and any(f.tracking_id == tracking_id for f in self.files.values()):
                raise Refused(422, "AlreadyExistingFlow", "This flow was received before.")
            syntax = str(info["flowSyntax"])
            now = self._now()
            file = File(
                id=str(uuid.uuid4()),
                type="CustomerInvoiceLC" if syntax == "CDAR" else "CustomerInvoice",
                direction="Out",
                syntax=syntax,
                name=str(info.get("name") or name),
                content=content,
                submitted_at=now,
                updated_at=now,
                tracking_id=tracking_id,
                rule=str(info.get("processingRule") or "B2B"),
                rule_given="processingRule" in info,
                profile=str(info.get("flowProfile") or ""),
            )
            self.files[file.id] = file
            if self.next_error:
                self._fail(file, *self.next_error)
                self.next_error = None
            elif syntax != "CDAR":
                self._deposit(file)
            return file

    def _fail(self, file: File, code: str, text: str) -> None:
        file.acknowledged = "Error"
        file.details = [
            {"level": "Error", "item": "file", "reasonCode": code, "reasonMessage": text}
        ]

    def _deposit(self, file: File) -> None:
        found = _invoice_in(file.content)
        if found is None:
            self._fail(file, "InvalidSchema", "No readable invoice in the file.")
            return
        if found.number in self.deposited:
            self.say(found.number, "213", reason_code="REJ_UNI", reason="Numéro déjà déposé")
            return
        self.deposited[found.number] = found
        for place, told in enumerate(self.stories.get(found.buyer, USUAL_STORY)):
            code, reason_code, reason = told if isinstance(told, tuple | list) else (told, "", "")
            at = self._now() + timedelta(seconds=place)
            self.say(found.number, code, reason_code=reason_code, reason=reason, at=at)

    # ─ What it says ─────────────────────────────────────────────────────────────────────────────
    def say(
        self,
        number: str,
        code: str,
        *,
        reason_code: str = "",
        reason: str = "",
        note: str = "",
        amount: str = "",
        at: datetime | str | None = None,
        **unknown: str,
    ) -> str:
        """A message about an invoice, ready to be fetched; the flow's id.

        Of a number that was never deposited `unknown` says issued_on, seller and buyer.
        """
        with self.lock:
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at
            if moment is None:
                # Messages bear seconds, and a story runs ahead by some: what is said now is later.
                moment = max(self._now(), self.said_at.get(number, self._last) + _SECOND)
            self.said_at[number] = moment
            of = self.deposited.get(number) or Deposited(
                number,
                unknown.get("issued_on", "20260101"),
                "380",
                unknown.get("seller", "732829320"),
                unknown.get("buyer", "200000008"),
            )
            content = message(
                number=of.number,
                issued_on=of.issued_on,
                type_code=of.type_code,
                seller=of.seller,
                buyer=of.buyer,
                code=code,
                at=moment.astimezone(PARIS),
                reason_code=reason_code,
                reason=reason,
                note=note,
                amount=amount,
            )
            return self.bring(content, f"{number}-CDV-{code}.xml".replace("/", "-"))

    def bring(
        self,
        content: bytes | str,
        name: str = "message.xml",
        *,
        type: str = "CustomerInvoiceLC",  # noqa: A002  the norm's word
        syntax: str = "CDAR",
        updated_at: datetime | None = None,
    ) -> str:
        """Any file for us, such as a message of another platform, or a supplier's invoice."""
        with self.lock:
            content = content.encode() if isinstance(content, str) else content
            now = updated_at or self._now()
            file = File(str(uuid.uuid4()), type, "In", syntax, name, content, now, now)
            self.files[file.id] = file
            return file.id

    def deliver_again(self, flow_id: str) -> str:
        """The same bytes once more, as another flow."""
        before = self.files[flow_id]
        return self.bring(before.content, before.name, type=before.type, syntax=before.syntax)

    def fail_next(self, code: str, text: str) -> None:
        self.next_error = (code, text)

    def refuse_next(self, code: str, text: str) -> None:
        """At the door."""
        self.next_refusal = (code, text)

    def enter(self, siren: str, addresses: list[str]) -> None:
        """The directory's lines of a SIREN; none takes it out."""
        with self.lock:
            self.directory[siren] = list(addresses)

    def tell_story(self, siren: str, story: list[Any]) -> None:
        self.stories[siren] = list(story)

    def _now(self) -> datetime:
        """Later than every time before: the norm pages by it."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return self._last


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _invoice_in(content: bytes) -> Deposited | None:
    """The CII in a Factur-X, or the file itself."""
    xml = _attached(content) if content.startswith(b"%PDF") else content
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314  from the portal on this machine
    except ElementTree.ParseError:
        return None
    head = next((each for each in root if each.tag.endswith("ExchangedDocument")), None)
    if head is None:
        return None
    issued = next(
        head.iter("{urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100}DateTimeString"),
        None,
    )
    parties = {
        name: next(root.iter(f"{_RAM}{name}"), None)
        for name in ("SellerTradeParty", "BuyerTradeParty")
    }
    sirens = {}
    for name, party in parties.items():
        legal = (
            party.find(f"{_RAM}SpecifiedLegalOrganization/{_RAM}ID") if party is not None else None
        )
        sirens[name] = (legal.text or "") if legal is not None else ""
    number = head.findtext(f"{_RAM}ID") or ""
    if not number or issued is None:
        return None
    return Deposited(
        number=number,
        issued_on=(issued.text or "").strip(),
        type_code=head.findtext(f"{_RAM}TypeCode") or "380",
        seller=sirens["SellerTradeParty"],
        buyer=sirens["BuyerTradeParty"],
    )


def _attached(content: bytes) -> bytes:
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            for name, attached in pdf.attachments.items():
                if name.endswith(".xml"):
                    return bytes(attached.get_file().read_bytes())
    except pikepdf.PdfError:
        pass
    return b""
