"""Connect a CRM: the token is tried before it is kept."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.core.http import AddressRefused, ProviderError
from integrations.crm.contract import Account, Definition
from integrations.crm.places import keep_fields
from integrations.crm.walking import ENTITIES
from integrations.models import Connection
from integrations.registry import OFFERED, CrmProvider


class ConnectRefused(Exception):
    """Nothing was changed; the message says what is wrong. `field` names the form's field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def connect_crm(
    *, base_url: str, api_token: str, dry_run: bool = False, provider: CrmProvider = OFFERED
) -> Connection:
    """Make or renew the connection; a dry run only tries the token. Raises ConnectRefused."""
    token = api_token.strip()
    if not re.fullmatch(r"[\x21-\x7e]{5,255}", token):
        raise ConnectRefused(
            _("An API token is one word of letters and digits; copy it again."), "api_token"
        )
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
