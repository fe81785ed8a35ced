"""Signs that cannot be seen, in what was typed or brought in (pure).

They come with a copy from a web page or a mail, and with people who mean harm: a mark of right to
left turns a name around on every page after it, a line break in a title writes lines into a mail.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
# Half a sign of two (surrogate), a control character, an unassigned sign: nothing prints them.
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


class Unreadable(ValueError):
    """What was typed cannot be read; the message says why to the person who typed it."""


def is_unseen(letter: str) -> bool:
    """Zero width, a mark of direction, a control character. Spaces of all widths are seen."""
    return unicodedata.category(letter) in _UNSEEN


def one_line(text: str) -> str:
    """The text without what cannot be seen; a line break becomes a space."""
    return _without_unseen(_BREAKS.sub(" ", text)).strip()


def _without_unseen(text: str, spared: str = "") -> str:
    # An import asks this of every text: what Python calls printable, nearly all, holds nothing
    # unseen and is not looked at letter by letter.
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter in spared or not is_unseen(letter))


def lines(text: str) -> str:
    """The same for a text of several lines, whose breaks and tabs stay."""
    plain = re.sub(r"\r\n?|[\x85\u2028\u2029]", "\n", text)
    return _without_unseen(plain, spared="\n\t").strip()


def refuse_unseen(text: str) -> None:
    """Raises Unreadable where a figure holds a sign that cannot be seen: it may hide another."""
    for letter in text:
        if is_unseen(letter):
            raise Unreadable(
                _("It holds a sign that cannot be seen (U+%(code)s): delete it and type it again.")
                % {"code": f"{ord(letter):04X}"}
            )


def shown(text: str, length: int = 40) -> str:
    """What was typed, short enough to stand in a sentence."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 1] + "…"
