"""Why VIES gave no answer, by code; the texts are for staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from babel import Locale
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.money import reader_locale


def _country(letters: str) -> str:
    """As the reader calls the state whose ids begin with these letters."""
    if letters == "XI":
        return _("Northern Ireland")
    # Only Greece's are not those of ISO.
    code = {"EL": "GR"}.get(letters, letters)
    return str(Locale.parse(reader_locale()).territories.get(code, code))


def _no_answer(values: Mapping[str, Any]) -> str:
    return _("The register of %(country)s did not answer.") % {"country": _country(values["state"])}


def _busy(values: Mapping[str, Any]) -> str:
    return _("The register of %(country)s is asked by too many at this moment.") % {
        "country": _country(values["state"])
    }


SENTENCES: Final[dict[str, Any]] = {
    "vies.state": _no_answer,
    "vies.state_busy": _busy,
    "vies.busy": gettext_lazy("VIES is asked by too many at this moment."),
    "vies.service": gettext_lazy("VIES is out of service at this moment."),
    "vies.input": gettext_lazy("VIES does not take “%(vat_id)s” for a VAT id: look at it again."),
    "vies.requester": gettext_lazy(
        "VIES does not accept our own VAT id, %(requester)s, as that of who asks: an administrator "
        "can look at it in the settings of the company."
    ),
    "vies.blocked": gettext_lazy(
        "VIES has blocked this question (%(error)s): it takes none from here for a time."
    ),
    "vies.error": gettext_lazy("VIES reports a fault of its own (%(error)s)."),
    "vies.unreadable": gettext_lazy(
        "The answer of VIES says neither that the id is valid nor that it is not."
    ),
    "vies.another_id": gettext_lazy(
        "VIES answered about another id than the one it was asked about."
    ),
    "vies.address": gettext_lazy(
        "What stands at the address of VIES does not answer as VIES does (%(status)s): tell "
        "whoever runs the portal."
    ),
}
