"""Connect a CRM or a platform: the token is tried before it is kept."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.core.http import AddressRefused, ProviderError
from integrations.crm.contract import Account, Definition
from integrations.crm.places import keep_fields
from integrations.crm.walking import ENTITIES
from integrations.models import Connection
from integrations.registry import OFFERED, PLATFORM, CrmProvider
from invoices.models import PlatformFlow


class ConnectRefused(Exception):
    """Nothing was changed; the message says what is wrong. `field` names the form's field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def connect_crm(
    *, base_url: str, api_token: str, dry_run: bool = False, provider: CrmProvider = OFFERED
) -> Connection:
    """Make or renew the connection; a dry run only tries the token. Raises ConnectRefused."""
    token = _one_word(api_token, longest=255)
    address, account, fields = _tried(provider, base_url, token)
    with transaction.atomic():
        rows = Connection.objects.select_for_update().filter(provider=provider.key)
        _refuse_another_account(rows.first(), account)
        values = {
            "base_url": address,
            "api_token": token,
            "account_name": account.name,
            "account_domain": account.domain,
            "state": Connection.State.ACTIVE,
            "pause": None,
            "pause_reason": "",
        }
        if dry_run:
            return Connection(provider=provider.key, **values)
        connection = Connection.objects.update_or_create(provider=provider.key, defaults=values)[0]
        keep_fields(connection, fields)
        return connection


def _one_word(typed: str, *, longest: int) -> str:
    token = typed.strip()
    if not re.fullmatch(rf"[\x21-\x7e]{{5,{longest}}}", token):
        raise ConnectRefused(
            _("An API token is one word of letters and digits; copy it again."), "api_token"
        )
    return token


def connect_platform(
    *,
    base_url: str,
    api_token: str,
    directory_url: str = "",
    account_name: str = "",
    dry_run: bool = False,
) -> Connection:
    """Make or renew the connection to the approved platform. Raises ConnectRefused.

    What waits in the outbox leaves with the next sweep.
    """
    token = _one_word(api_token, longest=4_000)
    field = "base_url"
    try:
        address = PLATFORM.address_of(base_url)
        if directory_url:
            field = "directory_url"
            directory_url = PLATFORM.address_of(directory_url, "directory-service")
            field = "base_url"
        with PLATFORM.open(address, token, directory_url=directory_url, attempts=2) as platform:
            platform.check()
    except AddressRefused as refusal:
        raise ConnectRefused(str(refusal), field) from refusal
    except ProviderError as error:
        where = "api_token" if error.status == 401 else "base_url"
        raise ConnectRefused(str(error), where) from error
    values = {
        "base_url": address,
        "directory_url": directory_url,
        "api_token": token,
        "account_name": account_name.strip()[:255],
        "state": Connection.State.ACTIVE,
        "pause": None,
        "pause_reason": "",
    }
    if dry_run:
        return Connection(provider=PLATFORM.key, **values)
    if not values["account_name"]:
        # Connected again without a name, it keeps the one that people know.
        del values["account_name"]
    with transaction.atomic():
        made, _new = Connection.objects.update_or_create(provider=PLATFORM.key, defaults=values)
        PlatformFlow.objects.filter(state=PlatformFlow.State.WAITING).update(next_attempt_at=None)
    return made


def _tried(
    provider: CrmProvider, base_url: str, token: str
) -> tuple[str, Account, dict[str, list[Definition]]]:
    try:
        address = provider.address_of(base_url)
        with provider.open(address, token, attempts=2) as crm:
            account = crm.account()
            # They make the mapping page useful before the first import.
            return address, account, {entity: crm.fields(entity) for entity in ENTITIES}
    except AddressRefused as refusal:
        raise ConnectRefused(str(refusal), "base_url") from refusal
    except ProviderError as error:
        if error.status == 401:
            raise ConnectRefused(
                _(
                    "%(provider)s does not know this token. Copy it from %(provider)s under "
                    "personal preferences, API."
                )
                % {"provider": provider.name},
                "api_token",
            ) from error
        raise ConnectRefused(str(error), "base_url") from error


def _refuse_another_account(before: Connection | None, account: Account) -> None:
    if before is None or not before.account_domain or not account.domain:
        return
    if before.account_domain != account.domain:
        raise ConnectRefused(
            _(
                "This token belongs to %(new)s, but what is here came from %(old)s; their "
                "numbers would mix. Use a token of %(old)s."
            )
            % {
                "new": account.name or account.domain,
                "old": before.account_name or before.account_domain,
            },
            "api_token",
        )
