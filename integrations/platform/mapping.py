"""What a platform answers, as what the family knows (pure)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from integrations.core.http import Json
from integrations.einvoicing.contract import Flow, Outgoing

MEDIA_TYPES: Final = {"Factur-X": "application/pdf"}
_ACKNOWLEDGED: Final = frozenset(["Pending", "Ok", "Error"])
# An id of ours goes into a path: letters, digits and what UUIDs and their like have.
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,35}")
# The norm's code for what the platform has already.
ALREADY: Final = "AlreadyExistingFlow"


class OddAnswer(Exception):
    """The answer is not in the shape of the norm."""


def info_of(file: Outgoing) -> Json:
    info: Json = {
        "trackingId": file.tracking_id,
        "name": file.filename[:255],
        "flowSyntax": file.syntax,
        "sha256": file.sha256,
    }
    if file.syntax == "Factur-X":
        # Its XML is EN 16931, which the norm calls CIUS.
        info["flowProfile"] = "CIUS"
    if file.processing_rule:
        info["processingRule"] = file.processing_rule
    return info


def flow_of(body: Any) -> Flow:
    """Raises OddAnswer without an id that can be asked for."""
    if not isinstance(body, dict) or not _ID.fullmatch(str(body.get("flowId") or "")):
        raise OddAnswer
    answer = body.get("acknowledgement")
    answer = answer if isinstance(answer, dict) else {}
    said = str(answer.get("status") or "")
    return Flow(
        id=str(body["flowId"]),
        type=_text(body, "flowType"),
        direction=_text(body, "flowDirection"),
        syntax=_text(body, "flowSyntax"),
        tracking_id=_text(body, "trackingId"),
        submitted_at=moment_of(body.get("submittedAt")),
        updated_at=moment_of(body.get("updatedAt")),
        acknowledged=said if said in _ACKNOWLEDGED else "",
        details=tuple(_detail(each) for each in _list(answer.get("details"))[:20]),
    )


def flow_named_in(body: Any) -> str:
    """Of a call of the platform's to us (WebhookCallbackContent), "" where it names none."""
    try:
        return flow_of(body.get("flowInfo") if isinstance(body, dict) else None).id
    except OddAnswer:
        return ""


def flows_in(body: Json) -> list[Flow]:
    """One that has no id is left out: there is nothing to ask for."""
    found = []
    for each in _list(body.get("results")):
        try:
            found.append(flow_of(each))
        except OddAnswer:
            continue
    return found


def addresses_in(body: Json, siren: str) -> list[str]:
    """Of this SIREN alone: the norm lets it be asked only for what contains it."""
    found = []
    for each in _list(body.get("results")):
        row = each if isinstance(each, dict) else {}
        address, platform = row.get("addressingIdentifier"), row.get("platform")
        status = platform.get("platformStatus") if isinstance(platform, dict) else None
        # A line whose platform has ended reaches nobody.
        is_open = str(status or "Enabled").lower().startswith("enabled")
        if isinstance(address, str) and address and row.get("siren") == siren and is_open:
            found.append(address[:100])
    return list(dict.fromkeys(found))


def moment_of(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def filename_in(disposition: str) -> str:
    """Of a Content-Disposition; without any path."""
    found = re.search(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", disposition)
    return re.sub(r"[^\w.() -]", "_", found[1].rsplit("/", 1)[-1])[:200] if found else ""


def _text(body: Json, name: str) -> str:
    return str(body.get(name) or "")[:60]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _detail(each: Any) -> dict[str, str]:
    row = each if isinstance(each, dict) else {}
    return {
        name: str(row.get(name) or "")[:500]
        for name in ("level", "item", "reasonCode", "reasonMessage")
    }
