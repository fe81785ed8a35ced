"""Punctuation that each language sets its own way."""

from __future__ import annotations

from django.utils.translation import gettext as _


def labelled(label: object, text: object) -> str:
    """“Unit price: not a number”; French has a space before its colon."""
    return _("%(label)s: %(text)s") % {"label": label, "text": text}
