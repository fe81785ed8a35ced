"""Sentences about the platform, by code: ways, messages, disputes; the texts are for staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from babel import Locale
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.money import reader_locale
from billing_portal.notices import in_words


def _abroad(values: Mapping[str, Any]) -> str:
    code = str(values["country"])
    country = Locale.parse(reader_locale()).territories.get(code, code)
    return _("%(country)s: outside the duty; the amounts are reported by us.") % {
        "country": country
    }


def _no_mail(values: Mapping[str, Any]) -> str:
    return _("%(why)s No mail address is on file.") % {"why": in_words(values["why"])}


SENTENCES: Final[dict[str, Any]] = {
    "route.forced": gettext_lazy("Decided by an administrator: %(reason)s"),
    "route.seller_abroad": gettext_lazy("Our company is not in France."),
    "route.consumer": gettext_lazy("A private person: no platform reaches one."),
    "route.abroad": _abroad,
    "route.no_siren": gettext_lazy("French business, no SIREN on file: nobody can look it up."),
    "route.public": gettext_lazy("Public body: through Chorus Pro, by its SIREN."),
    "route.no_vat": gettext_lazy(
        "French business without VAT number, in no directory; asked again each night."
    ),
    "route.not_in_directory": gettext_lazy(
        "French business with a VAT number, but the directory does not name it: ask it for its "
        "electronic address."
    ),
    "route.not_asked": gettext_lazy(
        "French business without VAT number: the directory was not asked yet."
    ),
    "route.vat": gettext_lazy(
        "French business with a VAT number; the directory was not asked yet."
    ),
    "route.directory": gettext_lazy("French business, in the directory on %(day)s."),
    "route.address_gone": gettext_lazy(
        "The directory no longer names %(address)s; it names %(others)s."
    ),
    "route.no_mail": _no_mail,
    "lifecycle.unknown": gettext_lazy("We sent no document of the number %(number)s."),
    "lifecycle.unreadable_xml": gettext_lazy("The file is no readable XML."),
    "lifecycle.unreadable_size": gettext_lazy("The file is larger than a message can be."),
    "lifecycle.unreadable_root": gettext_lazy("The file is no lifecycle message."),
    "lifecycle.unreadable_empty": gettext_lazy("The message speaks of no document."),
    "platform.not_connected": gettext_lazy("No platform is connected: it waits here."),
    "platform.rests": gettext_lazy("The connection to the platform rests: it waits here."),
    "platform.looked_up": gettext_lazy(
        "The answer did not come; the platform is asked whether it has the file before anything is "
        "sent again."
    ),
    "platform.turned_away": gettext_lazy("The platform did not take the file: %(said)s"),
    "platform.checks_failed": gettext_lazy("The platform’s checks failed: %(said)s"),
    "platform.too_many": gettext_lazy(
        "The platform names more files of one moment than it lists at once; tell its support."
    ),
    "platform.no_file": gettext_lazy("The platform lists the file but does not give it."),
}
