"""What is mailed, by kind. The outbox knows no invoice and no alert: whoever owns a kind words it.

A package registers its kind when the app is ready and is asked for the words at the moment the mail
leaves, so that a mail says what is true then: between "send" and the leaving lie minutes, after a
fault of the mail server days, and after "send again" months. Until then only the kind and the
numbers of rows (`Message.data`) are kept; the words that left are kept beside them as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import translation

if TYPE_CHECKING:
    from billing_portal.accounts.models import User
    from invoices.models import Message


# The name of a template and its values, to text. Whoever registers a kind hands it in: rules know
# no templates.
Render = Callable[[str, dict[str, Any]], str]


@dataclass(frozen=True)
class Words:
    subject: str
    text: str
    html: str = ""
    # A link that opens something to whoever has it: it leaves, and is not kept with the words that
    # left, which others may read than the one it was sent to.
    secret: str = ""

    def kept(self) -> Words:
        """As they are kept and shown to our own people."""
        if not self.secret:
            return self
        return Words(
            self.subject,
            self.text.replace(self.secret, NOT_KEPT),
            self.html.replace(self.secret, NOT_KEPT),
        )


NOT_KEPT = "https://…"


@dataclass(frozen=True)
class File:
    """What goes along with a mail and is no document of an invoice."""

    name: str
    content: bytes
    content_type: str


class Held(Exception):
    """As things are now this mail must not leave by itself: a person decides. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Moot(Exception):
    """There is nothing left to say, or nobody to say it to: the mail is dropped."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Kind:
    """A kind of mail; this one is worded when it is queued, and nobody hears what becomes of it."""

    def known(self, message: Message) -> dict[str, Any]:
        """What the person who asks for the mail knows; kept in `data`, compared when it leaves."""
        return {}

    def words(self, message: Message) -> Words:
        """Subject and body by what is true now. Raises Held or Moot."""
        return Words(message.subject, message.body_text, message.body_html)

    def files(self, message: Message) -> Sequence[File]:
        """What is attached beside the documents of the row, read when it leaves."""
        return ()

    def reason(self, code: str) -> str:
        """The sentence for the code of a Held or Moot, for staff."""
        return ""

    def queued_again(self, message: Message, *, by: User | None) -> None: ...

    def sent(self, message: Message, *, refused: Sequence[str], by: User | None) -> None: ...

    def failed(self, message: Message) -> None: ...


_KINDS: dict[str, Kind] = {}
_PLAIN = Kind()


def register(name: str, kind: Kind) -> None:
    _KINDS[name] = kind


def kind_of(message: Message) -> Kind:
    return _KINDS.get(message.kind, _PLAIN)


def words_of(message: Message) -> Words:
    """In the language of the mail, whatever the language of whoever asks. Raises Held or Moot."""
    with translation.override(message.language):
        return kind_of(message).words(message)


def trouble_of(message: Message) -> str:
    """What is wrong with this mail, in the reader's language: our sentence, then the server's."""
    sentence = ""
    if message.trouble:
        known = dict(type(message).Trouble.choices)
        sentence = str(known.get(message.trouble) or kind_of(message).reason(message.trouble))
    return " ".join(part for part in (sentence, message.error) if part)
