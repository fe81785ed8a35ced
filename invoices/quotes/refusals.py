"""Why something is not done to a quote."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing_portal.money import formatted_minor
from invoices.models import QuoteAcceptance


class QuoteRefused(Exception):
    """Nothing was changed; the message is written for whoever asked, one of us or the client."""


class Exceeds(QuoteRefused):
    """More would be billed than the client accepted; somebody may still decide so.

    `token` names what was asked about, so that agreeing to one excess agrees to no other.
    """

    def __init__(self, over_minor: int, billed_minor: int, acceptance: QuoteAcceptance) -> None:
        code = acceptance.currency
        super().__init__(
            _(
                "%(billed)s would be billed on %(number)s, %(over)s more than the %(accepted)s "
                "that were accepted."
            )
            % {
                "billed": formatted_minor(billed_minor, code),
                "number": acceptance.quote.number,
                "over": formatted_minor(over_minor, code),
                "accepted": formatted_minor(acceptance.total_minor, code),
            }
        )
        self.over_minor = over_minor
        self.token = f"{acceptance.quote_id}:{billed_minor}:{over_minor}"
