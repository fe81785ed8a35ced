"""What the mails of quotes say: the offer with its link, and the copy of what was accepted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing_portal.money import formatted_minor
from invoices.documents.mentions import long_date
from invoices.models import Company, QuoteAcceptance, QuoteVersion
from invoices.outbox.wording import Example, Link, Values, Variable, Wording
from invoices.quotes import words

OFFER, ACCEPTED = "quote", "quote_accepted"

_STANDARD_OFFER = {
    "fr": (
        "Devis {number} – {company}",
        "Bonjour,\n\n{opening}\n\n"
        "Montant TTC\u00a0: {total}\nValable jusqu’au {valid_until}\n\n"
        "Vous pouvez le lire, faire vos choix et l’accepter ou le refuser ici\u00a0:\n\n{link}\n\n"
        "Ce lien vous est personnel. Le devis est aussi joint en PDF.\n\n"
        "Bien cordialement,\n{salesperson}\n{company}\n{phone}",
    ),
    "en": (
        "Quote {number} – {company}",
        "Hello,\n\n{opening}\n\n"
        "Total including VAT: {total}\nValid until {valid_until}\n\n"
        "You can read it, make your choices and accept or decline it here:\n\n{link}\n\n"
        "This link is personal. The quote is attached as a PDF too.\n\n"
        "Kind regards,\n{salesperson}\n{company}\n{phone}",
    ),
}
_STANDARD_ACCEPTED = {
    "fr": (
        "Devis accepté {number} – {company}",
        "Bonjour,\n\n"
        "{accepted_by} a accepté le {day} à {time} la version {version} de notre devis {number}"
        "{about}, pour {total} TTC.\n\n"
        "Le devis accepté est joint\u00a0: gardez-le.\n\n"
        "Merci de votre confiance,\n{salesperson}\n{company}\n{phone}",
    ),
    "en": (
        "Quote accepted: {number} – {company}",
        "Hello,\n\n"
        "{accepted_by} accepted version {version} of our quote {number}{about} on {day} at {time}, "
        "for {total} including VAT.\n\n"
        "The accepted quote is attached: please keep it.\n\n"
        "Thank you for your trust,\n{salesperson}\n{company}\n{phone}",
    ),
}
_OPENING = {
    "fr": (
        "Voici notre devis {number}{about}.",
        "Voici une nouvelle version de notre devis {number}\u00a0: elle remplace la précédente.",
    ),
    "en": (
        "Here is our quote {number}{about}.",
        "Here is a new version of our quote {number}: it replaces the one before.",
    ),
}
_READ = {"fr": "Lire le devis", "en": "Read the quote"}


def _language(version: QuoteVersion) -> str:
    return "fr" if version.language == "fr" else "en"


def offer_values(version: QuoteVersion, company: Company, link: str) -> Values:
    language = _language(version)
    colon = "\u00a0: " if language == "fr" else ": "
    about = f"{colon}{version.title}" if version.title else ""
    first, newer = _OPENING[language]
    opening = (newer if version.number > 1 else first).format(
        number=version.quote.number, about=about
    )
    return {
        **_common(version, company),
        "total": formatted_minor(
            version.total_minor, version.currency, words.locale_of(version.language)
        ),
        "valid_until": long_date(version.valid_until, language),
        "opening": opening,
        "link": Link(link, _READ[language]),
    }


def accepted_values(acceptance: QuoteAcceptance, company: Company) -> Values:
    version = acceptance.version
    moment = words.moment(acceptance.at, version.language)
    return {
        **_common(version, company),
        "total": formatted_minor(
            acceptance.total_minor, acceptance.currency, words.locale_of(version.language)
        ),
        "accepted_by": acceptance.name,
        "version": str(version.number),
        "about": f" ({version.title})" if version.title else "",
        "day": str(moment["day"]),
        "time": str(moment["time"]),
    }


def _common(version: QuoteVersion, company: Company) -> dict[str, str]:
    quote = version.quote
    return {
        "number": quote.number,
        "client": quote.client.name,
        "salesperson": str(quote.owner) if quote.owner else "",
        "company": company.name,
        "phone": company.phone,
        "email": company.email,
    }


def _example_offer(number: str, language: str) -> Example | None:
    rows = QuoteVersion.objects.exclude(sent_at=None).select_related(
        "quote__client", "quote__owner"
    )
    wanted = rows.filter(quote__number=number) if number else rows.filter(language=language)
    version, company = wanted.order_by("-pk").first(), Company.ours()
    if version is None or company is None:
        return None
    # The real link answers for the client: a test has none.
    values = offer_values(version, company, "https://…")
    return Example(f"{version.quote.number} · {version.quote.client.name}", values)


def _example_accepted(number: str, language: str) -> Example | None:
    rows = QuoteAcceptance.objects.select_related("version__quote__client", "version__quote__owner")
    wanted = (
        rows.filter(version__quote__number=number)
        if number
        else rows.filter(version__language=language)
    )
    acceptance, company = wanted.order_by("-pk").first(), Company.ours()
    if acceptance is None or company is None:
        return None
    quote = acceptance.version.quote
    return Example(f"{quote.number} · {quote.client.name}", accepted_values(acceptance, company))


_COMMON = (
    Variable("number", lambda: _("Number of the quote")),
    Variable("client", lambda: _("Name of the client")),
    Variable("total", lambda: _("Total with VAT")),
    Variable("salesperson", lambda: _("Salesperson")),
    Variable("company", lambda: _("Name of our company")),
    Variable("phone", lambda: _("Telephone of our company")),
    Variable("email", lambda: _("Email of our company")),
)
WORDINGS = (
    Wording(
        kind=OFFER,
        title=lambda: _("Quote"),
        variables=(
            *_COMMON,
            Variable("opening", lambda: _("“Here is our quote”, or a new version")),
            Variable("valid_until", lambda: _("Until when it can be accepted")),
            Variable(
                "link",
                lambda: _("The client’s own link to the quote"),
                alone=True,
                needed=True,
            ),
        ),
        standard=_STANDARD_OFFER,
        example=_example_offer,
    ),
    Wording(
        kind=ACCEPTED,
        title=lambda: _("Quote accepted"),
        variables=(
            *_COMMON,
            Variable("accepted_by", lambda: _("Who accepted it")),
            Variable("version", lambda: _("Which version was accepted")),
            Variable("about", lambda: _("What it is about, in brackets")),
            Variable("day", lambda: _("Day of the acceptance")),
            Variable("time", lambda: _("Time of the acceptance")),
        ),
        standard=_STANDARD_ACCEPTED,
        example=_example_accepted,
    ),
)
