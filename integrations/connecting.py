"""Connect a provider: the token is tried before it is kept."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.core.http import AddressRefused, ProviderError
from integrations.crm.places import keep_fields
from integrations.crm.values import one_line
from integrations.crm.walking import ENTITIES
from integrations.models import Connection, Provider
from integrations.pipedrive.client import Pipedrive, base_url_of


class ConnectRefused(Exception):
    """Nothing was changed; the message says what is wrong. `field` names the form's field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def connect_pipedrive(*, base_url: str, api_token: str, dry_run: bool = False) -> Connection:
    """Make or renew the connection; a dry run only tries the token. Raises ConnectRefused."""
    token = api_token.strip()
    if not re.fullmatch(r"[\x21-\x7e]{5,255}", token):
        raise ConnectRefused(
            _("An API token is one word of letters and digits; copy it again."), "api_token"
        )
    try:
        address = base_url_of(base_url)
        with Pipedrive(address, token, attempts=2) as client:
            me = client.me()
            # They make the mapping page useful before the first import.
            fields = {entity: client.fields(entity) for entity in ENTITIES}
    except AddressRefused as refusal:
        raise ConnectRefused(str(refusal), "base_url") from refusal
    except ProviderError as error:
        if error.status == 401:
            raise ConnectRefused(
                _(
                    "Pipedrive does not know this token. Copy it from Pipedrive under personal "
                    "preferences, API."
                ),
                "api_token",
            ) from error
        raise ConnectRefused(str(error), "base_url") from error
    name = one_line(str(me.get("company_name") or ""))[:255]
    domain = one_line(str(me.get("company_domain") or ""))[:255]
    with transaction.atomic():
        before = Connection.objects.select_for_update().filter(provider=Provider.PIPEDRIVE).first()
        if before and before.account_domain and domain and before.account_domain != domain:
            raise ConnectRefused(
                _(
                    "This token belongs to %(new)s, but what is here came from %(old)s; their "
                    "numbers would mix. Use a token of %(old)s."
                )
                % {"new": name or domain, "old": before.account_name or before.account_domain},
                "api_token",
            )
        values = {
            "base_url": address,
            "api_token": token,
            "account_name": name,
            "account_domain": domain,
            "state": Connection.State.ACTIVE,
            "pause_reason": "",
        }
        if dry_run:
            return Connection(provider=Provider.PIPEDRIVE, **values)
        connection = Connection.objects.update_or_create(
            provider=Provider.PIPEDRIVE, defaults=values
        )[0]
        keep_fields(connection, fields)
        return connection
