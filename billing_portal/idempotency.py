"""A form that changes state carries a key: sent twice, it is carried out once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from billing_portal.accounts.models import Submission, User

FIELD = "once"
T = TypeVar("T")


class AlreadyDone(Exception):
    """This very form was carried out before; `result_url` is where that led."""

    def __init__(self, result_url: str) -> None:
        super().__init__(_("This was already done a moment ago; nothing was done twice."))
        self.result_url = result_url


class NoKey(Exception):
    """The form brought no key: sent twice, it would be carried out twice."""

    def __init__(self) -> None:
        super().__init__(
            _("This form came without its key, so nothing was done: load the page again.")
        )


def new_key() -> str:
    return secrets.token_urlsafe(18)


def run_once(
    *,
    key: str,
    action: str,
    by: User,
    act: Callable[[], T],
    url: Callable[[T], str] = lambda _result: "",
) -> T:
    """Run `act` and keep the key in one transaction. Raises AlreadyDone for a key seen before,
    NoKey for none.

    The unique key is written first: a second click waits for the first one's commit, then is told.
    A refusal raised by `act` rolls the key back too, so the corrected form may be sent again.
    """
    if not key:
        raise NoKey
    with transaction.atomic():
        try:
            with transaction.atomic():
                sent = Submission.objects.create(key=key[:64], user=by, action=action)
        except IntegrityError:
            before = Submission.objects.get(key=key[:64])
            raise AlreadyDone(before.result_url) from None
        result = act()
        sent.result_url = url(result)[:500]
        sent.save(update_fields=["result_url"])
        return result


def carried_out(key: str) -> AlreadyDone | None:
    """For a form that is refused only because it was carried out: the second click must hear so."""
    before = Submission.objects.filter(key=key[:64]).first() if key else None
    return AlreadyDone(before.result_url) if before else None


def key_of(request: HttpRequest) -> str:
    """Letters and digits, whatever was sent: PostgreSQL refuses a NUL, and a lone surrogate."""
    return "".join(sign for sign in request.POST.get(FIELD, "") if sign.isascii() and sign != "\0")
