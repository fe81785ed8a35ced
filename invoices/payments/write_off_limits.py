"""Up to how much of an invoice somebody may give up, by role; a setting of the company."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, from_minor, round_half_up
from invoices.company.rates import rate_on
from invoices.models import Company, Invoice


def limit_of(user: User | None, company: Company | None) -> int | None:
    """Per invoice, with VAT, in minor units of the company's currency; None without limit."""
    if user is None or company is None:
        return None
    if user.role == User.Role.ADMINISTRATOR:
        return company.write_off_limit_administrator
    return company.write_off_limit


def refusal(invoice: Invoice, minor: int, *, by: User | None, on: date) -> str:
    """Why `minor` more of a locked invoice may not be given up by this person; "" if it may.

    What was given up of it before counts too: two small parts are one large one.
    """
    company = Company.ours()
    limit = limit_of(by, company)
    if limit is None or company is None or by is None:
        return ""
    rate = invoice.exchange_rate
    if rate is None:
        rate = rate_on(invoice.currency, company.currency, on)
    whole = from_minor(invoice.written_off_minor + minor, invoice.currency).amount
    if rate is not None and round_half_up(whole * rate, company.currency) <= limit:
        return ""
    values = {"limit": formatted_minor(limit, company.currency), "number": invoice.number}
    if rate is None:
        return _(
            "There is no exchange rate by which to tell whether this is within your limit of "
            "%(limit)s per invoice: enter the rate first."
        ) % {**values}
    if by.role == User.Role.ADMINISTRATOR:
        return (
            _(
                "Even an administrator gives up at most %(limit)s of one invoice: see Invoicing in "
                "the settings, or make a credit note."
            )
            % values
        )
    return _(
        "You may give up at most %(limit)s of one invoice, earlier parts of %(number)s included. "
        "Beyond it an administrator decides%(most)s."
    ) % {**values, "most": _administrators(company)}


def _administrators(company: Company) -> str:
    most = company.write_off_limit_administrator
    if most is None:
        return ""
    return _(", up to %(most)s") % {"most": formatted_minor(most, company.currency)}


def hint(user: User) -> str:
    """For the form, before anything is typed; "" without limit."""
    company = Company.ours()
    limit = limit_of(user, company)
    if limit is None or company is None:
        return ""
    return _("You may give up at most %(limit)s of one invoice.") % {
        "limit": formatted_minor(limit, company.currency)
    }
