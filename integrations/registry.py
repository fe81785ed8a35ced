"""Which providers there are; nothing else names one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from integrations.core.tokens import tokens_of
from integrations.crm.contract import Crm, Opener
from integrations.einvoicing.contract import Platform
from integrations.models import Connection, Provider
from integrations.pipedrive import adapter as pipedrive
from integrations.platform import adapter as platform
from integrations.platform.client import NAME
from integrations.platform.mapping import flow_named_in
from integrations.vies.adapter import ViesRegister
from integrations.vies.sentences import SENTENCES as VIES_SENTENCES
from invoices.clients.vat_register import VatRegister


@dataclass(frozen=True)
class CrmProvider:
    key: str
    name: str
    open: Opener
    # What people paste as the address that requests start with. Raises AddressRefused.
    address_of: Callable[[str], str]
    # base URL, account's domain, kind, number → where people see the object; "" without a page.
    object_url: Callable[[str, str, str, str], str]
    # Where people find the address and the token.
    address_help: Any
    token_help: Any


CRMS: Final = {
    Provider.PIPEDRIVE: CrmProvider(
        Provider.PIPEDRIVE,
        str(Provider.PIPEDRIVE.label),
        pipedrive.PipedriveCrm,
        pipedrive.address_of,
        pipedrive.object_url,
        pipedrive.ADDRESS_HELP,
        pipedrive.TOKEN_HELP,
    ),
}
# The one that the page of the connection offers.
OFFERED: Final = CRMS[Provider.PIPEDRIVE]
# Who says whether a VAT id of the Union is valid, and why it did not.
VAT_REGISTER: Final[VatRegister] = ViesRegister()
VAT_REGISTER_SENTENCES: Final = VIES_SENTENCES


@dataclass(frozen=True)
class PlatformProvider:
    key: str
    name: Any
    open: Callable[..., Platform]
    # What people paste → what is kept. Raises AddressRefused.
    address_of: Callable[..., str]
    address_help: Any
    directory_help: Any
    token_help: Any
    login_help: Any
    # What it calls itself in sentences.
    noun: str
    # A call of its to us → the flow that it names.
    flow_named_in: Callable[[Any], str]


# One norm, so one provider: whichever platform it is, only the address differs.
PLATFORM: Final = PlatformProvider(
    Provider.PLATFORM,
    Provider.PLATFORM.label,
    platform.NormPlatform,
    platform.address_of,
    platform.ADDRESS_HELP,
    platform.DIRECTORY_HELP,
    platform.TOKEN_HELP,
    platform.LOGIN_HELP,
    NAME,
    flow_named_in,
)


def platform_connection() -> Connection | None:
    return Connection.objects.filter(provider=PLATFORM.key).first()


def open_platform(connection: Connection, **options: Any) -> Platform:
    return PLATFORM.open(
        connection.base_url,
        tokens_of(connection, PLATFORM.noun),
        directory_url=connection.directory_url,
        **options,
    )


def connected_platform() -> str:
    """Its name, "" without one."""
    connection = platform_connection()
    return (connection.account_name or str(connection)) if connection else ""


def crm_of(connection: Connection) -> CrmProvider:
    return CRMS[Provider(connection.provider)]


def open_crm(connection: Connection, **options: Any) -> Crm:
    return crm_of(connection).open(connection.base_url, connection.api_token or "", **options)


def crm_connection() -> Connection | None:
    """The CRM that deals come from; there is at most one."""
    return Connection.objects.filter(provider__in=CRMS).first()


def object_url(connection: Connection, kind: str, number: str) -> str:
    return crm_of(connection).object_url(
        connection.base_url, connection.account_domain, kind, number
    )
