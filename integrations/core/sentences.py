"""What may be wrong between us and a provider, by code; the texts are for staff."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

SENTENCES: Final[dict[str, Any]] = {
    # Addresses
    "http.no_address": _(
        "That is not a web address. It looks like https://yourcompany.pipedrive.com."
    ),
    "http.password_in_address": _(
        "Leave the name and password out of the address: the token has its own field."
    ),
    "http.this_machine": _("%(host)s is this machine, not a provider."),
    "http.not_encrypted": _(
        "The address must begin with https:// so that the token travels encrypted."
    ),
    "http.inside": _("%(host)s lies inside a private network; a provider is on the internet."),
    "http.half_a_host": _(
        "“%(host)s” is not a full host name. It looks like yourcompany.pipedrive.com."
    ),
    # No answer
    "http.no_certificate": _(
        "%(host)s has no valid certificate for that name, so nothing was sent. Check the address."
    ),
    "http.no_answer": _("%(provider)s (%(host)s) did not answer in time. Nothing is lost."),
    "http.unsendable": _("The address or the token holds characters that cannot be sent."),
    "http.private": _("%(host)s leads into a private network; nothing was sent there."),
    "http.no_machine": _(
        "There is no machine named %(host)s, or the internet cannot be reached. Check the address."
    ),
    "http.no_connection": _(
        "%(host)s does not accept connections. Check the address; nothing is lost."
    ),
    "http.broke_off": _("The connection to %(provider)s (%(host)s) broke off. Nothing is lost."),
    "http.too_large": _("%(provider)s sent an answer larger than %(size)s MB; it was not read."),
    # An answer that is a refusal
    "http.redirect": _(
        "%(host)s sends us on to %(elsewhere)s; the token was not sent there. "
        "Enter the final address."
    ),
    "http.token": _(
        "%(provider)s does not accept the API token any more. Nothing is lost: enter a new token "
        "and the import goes on where it stopped."
    ),
    "http.unpaid": _(
        "The %(provider)s account is closed or unpaid. Reopen it, then connect again."
    ),
    "http.gatekeeper": _(
        "%(provider)s’s gatekeeper turned us away for asking too often. Nothing is lost; wait some "
        "minutes."
    ),
    "http.forbidden": _(
        "%(provider)s does not let the owner of this token read this: %(said)s Use the token of a "
        "person who may."
    ),
    "http.not_there": _(
        "%(host)s has nothing at this place. Is it the address of your %(provider)s?"
    ),
    "http.limit": _(
        "%(provider)s’s limit of requests is used up. Nothing is lost; the import goes on later."
    ),
    "http.own_trouble": _("%(provider)s has trouble of its own (%(status)s). Nothing is lost."),
    "http.refused": _("%(provider)s refused the request (%(status)s): %(said)s"),
    "http.no_reason": _("no reason given."),
    # An answer that is none
    "http.web_page": _("%(host)s answered with a web page instead of data. Check the address."),
    "http.empty": _("%(provider)s (%(host)s) sent an empty answer. Nothing is lost."),
    "http.no_data": _("What %(host)s answered is not %(provider)s data. Check the address."),
    "http.damaged": _(
        "The answer of %(provider)s (%(host)s) broke off or is damaged. Nothing is lost."
    ),
    "login.refused": _(
        "The login at %(host)s does not accept this client id and secret (%(said)s). Nothing is "
        "lost: copy both again from your platform’s page, and connect again."
    ),
    "login.odd": _("What the login at %(host)s answered holds no token. Nothing is lost."),
    "http.odd": _("The answer is not in the shape of %(provider)s’s API. Check the address."),
}
