"""The conversation with the mail server, and what its answers mean.

What it refuses is judged by whom the refusal is about: this mail (`Never`, `Later`), or us
(`SetUp`): a server that wants a password answers 5xx to our sender address, and giving up every
mail for that would lose them all in a minute.
"""

from __future__ import annotations

import logging
import re
import smtplib
from collections.abc import Callable
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

logger = logging.getLogger(__name__)

# So often the whole mail waits for a recipient who is refused for now; then the others get it.
PATIENCE = 4
# "Log in first", in the codes of RFC 4954 and in the words of relays.
_LOG_IN_FIRST = frozenset((530, 534, 535, 538))
_NO_RELAY = re.compile(r"relay|authenticat", re.I)


class NotSent(Exception):
    """Nothing has left; the words are the server's."""


class Later(NotSent):
    """The server did not take it now."""


class Never(NotSent):
    """The server will not take this mail."""


class SetUp(NotSent):
    """The server turns us away, whatever the mail."""


class Unconfirmed(Exception):
    """The text was given, and the answer never came."""


class Line:
    """One connection for a whole sweep; after any trouble a new one is opened."""

    def __init__(self) -> None:
        self._backend: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except (OSError, smtplib.SMTPException):
            logger.info("the mail server did not say goodbye")

    def send(
        self, mail: EmailMultiAlternatives, *, attempt: int, mark: Callable[[], None]
    ) -> list[str]:
        """Hand it over; returns what was refused for single recipients, in words.

        `mark` is called right before the text leaves, and may raise to keep it from leaving.
        """
        try:
            backend = self._opened()
            if isinstance(backend, SmtpBackend) and backend.connection is not None:
                return _by_smtp(mail, backend.connection, attempt, mark)
            return _by_provider(mail, backend, mark)
        except BaseException:
            # Whatever it was, the next mail does not begin in the middle of this conversation.
            self.hang_up()
            raise

    def _opened(self) -> Any:
        if self._backend is None:
            self._backend = get_connection()
            try:
                self._backend.open()
            except (OSError, smtplib.SMTPException) as trouble:
                # A greeting or a login that fails says nothing about this mail.
                raise SetUp(f"{type(trouble).__name__}: {trouble}") from trouble
        return self._backend


def _by_provider(mail: EmailMultiAlternatives, backend: Any, mark: Callable[[], None]) -> list[str]:
    mark()
    try:
        backend.send_messages([mail])
    except Exception as trouble:
        # A provider's own words, when it answered at all, are a clear no (django-anymail).
        code = getattr(trouble, "status_code", None)
        if isinstance(code, int) and code >= 400:
            raise _by_status(code)(f"{code} {trouble}") from trouble
        raise Unconfirmed(f"{type(trouble).__name__}: {trouble}") from trouble
    return []


def _by_status(code: int) -> type[NotSent]:
    if code in (401, 403):
        return SetUp
    return Later if code == 429 or code >= 500 else Never


def _by_smtp(
    mail: EmailMultiAlternatives, smtp: smtplib.SMTP, attempt: int, mark: Callable[[], None]
) -> list[str]:
    """The conversation step by step: only so can the mark fall right before the text leaves."""
    # Django's own message class takes linesep; its stubs show email.message.Message.
    content: bytes = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    try:
        refused = _envelope_taken(mail, smtp, attempt)
        code, words = smtp.docmd("DATA")
        if code != 354:
            raise _about_the_mail(code, words)
    except (OSError, smtplib.SMTPException) as trouble:
        raise _trouble(trouble) from trouble
    try:
        mark()
    except BaseException:
        # No goodbye: the server waits for a text and must see the line break off.
        smtp.close()
        raise
    try:
        smtp.send(re.sub(rb"(?m)^\.", b"..", content).rstrip(b"\r\n") + b"\r\n.\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as trouble:
        raise Unconfirmed(f"{type(trouble).__name__}: {trouble}") from trouble
    if code != 250:
        # The server read it and said no: it was not taken.
        raise _about_the_mail(code, words)
    return refused


def _envelope_taken(mail: EmailMultiAlternatives, smtp: smtplib.SMTP, attempt: int) -> list[str]:
    """Sender and recipients; returns the refusals of single recipients."""
    smtp.ehlo_or_helo_if_needed()
    options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
    code, words = smtp.mail(_envelope(settings.DEFAULT_FROM_EMAIL), options)
    if code >= 300:
        raise (Later if code < 500 else SetUp)(_said(code, words))
    refused = []
    temporary = False
    recipients = mail.recipients()
    for address in recipients:
        code, words = smtp.rcpt(_envelope(address))
        said = _said(code, words)
        if code in _LOG_IN_FIRST or (code >= 500 and _NO_RELAY.search(said)):
            raise SetUp(said)
        if code >= 300:
            refused.append(f"{address}: {said}")
            temporary = temporary or code < 500
    # Greylisting of one: later all of them get it.
    if len(refused) == len(recipients) or (temporary and attempt <= PATIENCE):
        raise (Later if temporary else Never)("; ".join(refused))
    return refused


def _about_the_mail(code: int, words: bytes | str) -> NotSent:
    return (Later if code < 500 else Never)(_said(code, words))


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:500]


def _trouble(trouble: Exception) -> NotSent:
    """Before the text has left, everything but a clear "never" is tried again."""
    if isinstance(trouble, smtplib.SMTPResponseException):
        return _about_the_mail(trouble.smtp_code, trouble.smtp_error)
    return Later(f"{type(trouble).__name__}: {trouble}")


def _envelope(address: str) -> str:
    local, _at, domain = parseaddr(address)[1].rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"
