"""Any platform that follows XP Z12-013, as the family knows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from billing_portal.notices import Notice
from integrations.core.http import ProviderError, checked_base_url
from integrations.core.tokens import Tokens
from integrations.einvoicing.contract import AlreadyThere, Flow, Outgoing, Page
from integrations.platform import mapping
from integrations.platform.client import NAME, PAGE, PlatformClient

ADDRESS_HELP: Final = _(
    "As the platform’s documentation has it before /v1/flows, for example "
    "https://api.yourplatform.example/flow-service."
)
DIRECTORY_HELP: Final = _(
    "Before /v1/directory-line; leave it empty where only flow-service is directory-service."
)
TOKEN_HELP: Final = _("From your platform’s page about its API; it is kept encrypted.")
LOGIN_HELP: Final = _(
    "Where your platform gives a client id and secret instead of a token: the address that its "
    "documentation calls the token URL."
)
FLOWS, DIRECTORY = "flow-service", "directory-service"
_LINES, _MOST_LINES = 50, 500


def address_of(text: str, service: str = FLOWS) -> str:
    """As people paste it; a host alone gets the path of the norm. Raises AddressRefused."""
    cut = re.sub(r"/v1(/.*)?$", "", text.strip().rstrip("/"))
    address = checked_base_url(cut)
    return address if urlsplit(address).path.strip("/") else f"{address.rstrip('/')}/{service}"


def directory_of(base_url: str) -> str:
    """Where the directory is when nobody says it: beside the flows, by the names of the norm."""
    head, _slash, tail = base_url.rpartition("/")
    return f"{head}/{DIRECTORY}" if tail == FLOWS else base_url


class NormPlatform:
    def __init__(
        self, base_url: str, tokens: Tokens, *, directory_url: str = "", **options: Any
    ) -> None:
        directory_url = directory_url or directory_of(base_url)
        self.client = PlatformClient(base_url, tokens, directory_url=directory_url, **options)

    def __enter__(self) -> NormPlatform:
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.__exit__()

    def check(self) -> None:
        # Not its healthcheck, which is told to anybody: a question needs the token.
        self.client.search({"updatedAfter": _written(datetime.now(UTC))})

    def submit(self, file: Outgoing) -> Flow:
        media_type = mapping.MEDIA_TYPES.get(file.syntax, "application/xml")
        try:
            answer = self.client.create(
                mapping.info_of(file), file.content, file.filename, media_type
            )
        except ProviderError as error:
            if error.status in (409, 422) and mapping.ALREADY in error.said:
                raise AlreadyThere from error
            raise
        try:
            return mapping.flow_of(answer)
        except mapping.OddAnswer:
            # It answered “taken” and did not say under which number: it has to be looked up.
            raise ProviderError(Notice("http.odd", provider=NAME), retryable=True) from None

    def find(self, tracking_id: str) -> Flow | None:
        found = mapping.flows_in(self.client.search({"trackingId": tracking_id}))
        # A platform that overlooks the filter must not hand us somebody else's.
        return next((flow for flow in found if flow.tracking_id == tracking_id), None)

    def updated_after(self, moment: datetime) -> Page:
        body = self.client.search({"updatedAfter": _written(moment)})
        flows = mapping.flows_in(body)
        full = len(body.get("results") or []) >= PAGE
        earliest = datetime.min.replace(tzinfo=UTC)
        return Page(sorted(flows, key=lambda flow: (flow.updated_at or earliest, flow.id)), full)

    def file_of(self, flow_id: str) -> tuple[bytes, str]:
        content, disposition = self.client.original(flow_id)
        return content, mapping.filename_in(disposition)

    def addresses_of(self, siren: str) -> list[str]:
        found: list[str] = []
        for ignore in range(0, _MOST_LINES, _LINES):
            body = self.client.directory_lines(siren, limit=_LINES, ignore=ignore)
            found += mapping.addresses_in(body, siren)
            if len(body.get("results") or []) < _LINES:
                break
        # The shortest first: the SIREN itself, where it is one.
        return sorted(dict.fromkeys(found), key=lambda address: (len(address), address))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
