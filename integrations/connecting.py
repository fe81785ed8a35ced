"""Connect a CRM or a platform: the token is tried before it is kept."""

from __future__ import annotations

import re
import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.core.http import AddressRefused, ProviderError, checked_base_url
from integrations.core.tokens import Lasting, Login, Tried
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
    api_token: str = "",
    directory_url: str = "",
    account_name: str = "",
    token_url: str = "",
    client_id: str = "",
    client_secret: str = "",
    dry_run: bool = False,
) -> Connection:
    """Make or renew the connection to the approved platform. Raises ConnectRefused.

    With a token that lasts, or with a login (`token_url`, `client_id`, `client_secret`). What waits
    in the outbox leaves with the next sweep.
    """
    token, login = _one_of(api_token, _login(token_url, client_id, client_secret))
    field = "base_url"
    try:
        address = PLATFORM.address_of(base_url)
        if directory_url:
            field = "directory_url"
            directory_url = PLATFORM.address_of(directory_url, "directory-service")
            field = "base_url"
        tokens = Tried(login, PLATFORM.noun) if login else Lasting(token)
        with PLATFORM.open(address, tokens, directory_url=directory_url, attempts=2) as platform:
            platform.check()
    except AddressRefused as refusal:
        raise ConnectRefused(str(refusal), field) from refusal
    except ProviderError as error:
        raise ConnectRefused(str(error), _field_of(error, login)) from error
    values = {
        "base_url": address,
        "directory_url": directory_url,
        "api_token": token,
        "token_url": login.token_url if login else "",
        "client_id": login.client_id if login else "",
        "client_secret": login.client_secret if login else "",
        # What another login gave is good for nothing now.
        "access_token": "",
        "access_until": None,
        "access_claimed_until": None,
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
        if not made.hook_secret:
            made.hook_secret = new_hook_secret()
            made.save(update_fields=["hook_secret"])
        PlatformFlow.objects.filter(state=PlatformFlow.State.WAITING).update(next_attempt_at=None)
    return made


def _one_of(api_token: str, login: Login | None) -> tuple[str, Login | None]:
    token = _one_word(api_token, longest=4_000) if api_token.strip() else ""
    if not token and login is None:
        raise ConnectRefused(_("Enter a token, or a login with its id and secret."), "api_token")
    if token and login is not None:
        raise ConnectRefused(_("Enter a token or a login, not both: leave one empty."), "api_token")
    return token, login


def new_hook_secret() -> str:
    return secrets.token_urlsafe(32)


def _login(token_url: str, client_id: str, client_secret: str) -> Login | None:
    given = [token_url.strip(), client_id.strip(), client_secret.strip()]
    if not any(given):
        return None
    fields = ("token_url", "client_id", "client_secret")
    for name, value in zip(fields, given, strict=True):
        if not value:
            raise ConnectRefused(_("A login needs its address, its id and its secret."), name)
    try:
        return Login(checked_base_url(given[0]), given[1], given[2])
    except AddressRefused as refusal:
        raise ConnectRefused(str(refusal), "token_url") from refusal


def _field_of(error: ProviderError, login: Login | None) -> str:
    if login is not None and error.notice.code.startswith("login."):
        return "client_secret" if error.credentials else "token_url"
    if error.status == 401:
        return "client_secret" if login else "api_token"
    return "base_url"


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
