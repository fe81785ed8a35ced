"""The quotes of the demo: some in each state, on the days on which they would have happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, Final
from unittest import mock

from django.db import transaction
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.company.sales_terms import bring_in_force
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.totals import TotalsRefused
from invoices.invoicing.issuing import issue
from invoices.models import Client, Deal, Quote, QuoteVersion
from invoices.models.quotes import State
from invoices.quotes import answering, beginning, converting, drafting, sending
from invoices.quotes.answering import Signer
from invoices.quotes.choices import proposed
from invoices.quotes.refusals import QuoteRefused

# The sales terms were brought in force before the first quote left.
FIRST_DAY: Final = 150
TERMS: Final = """# 1. Objet

Les présentes conditions régissent les prestations de Kerlann Conseil, à l’exclusion de toute autre condition.

# 2. Prix et paiement

Les prix sont fermes pendant la durée de validité du devis et s’entendent hors taxes. Un acompte peut être demandé à la commande. Tout retard entraîne des pénalités au taux indiqué sur la facture et une indemnité forfaitaire de 40 € pour frais de recouvrement.

# 3. Délais et réception

Les délais courent à compter de l’acceptation du devis et, le cas échéant, de l’encaissement de l’acompte. Sans réserve écrite sous quinze jours, la prestation est réputée reçue.

# 4. Droit applicable

Le droit français s’applique. À défaut d’accord amiable, le tribunal de commerce de Nantes est compétent."""  # noqa: E501 - as it is printed
# (what, price, quantity): priced by the day or as a whole.
SUBJECTS: Final = (
    ("Audit du poste clients", ("Audit et restitution", "4200", "1")),
    ("Refonte du processus de facturation", ("Accompagnement, au jour", "780", "12")),
    ("Formation des équipes de recouvrement", ("Journée de formation", "1450", "3")),
    ("Reprise des données comptables", ("Reprise et contrôle", "6900", "1")),
    ("Tableaux de bord de trésorerie", ("Paramétrage, au jour", "820", "8")),
)
REASONS: Final = ("price", "delay", "price", "scope", "other", "later")
SIGNERS: Final = ("Claire Morvan", "Hervé Le Bihan", "Anaïs Kerouredan", "Julien Pasquier")


@dataclass(frozen=True)
class Story:
    """What becomes of a quote that left `ago` days before today; answered after so many days."""

    end: str
    ago: int
    after: int = 0
    deposit: int = 0
    billed: str = ""


STORIES: Final = (
    Story("accepted", 148, 3, billed="whole"),
    Story("accepted", 141, 9),
    Story("declined", 139, 6),
    Story("accepted", 133, 1, deposit=30),
    Story("expired", 128),
    Story("accepted", 120, 14),
    Story("accepted", 116, 5, billed="whole"),
    Story("declined", 111, 20),
    Story("accepted", 104, 8),
    Story("expired", 99),
    Story("accepted", 92, 2, deposit=40),
    Story("declined", 88, 11),
    Story("accepted", 81, 17),
    Story("accepted", 74, 4),
    Story("declined", 70, 3),
    Story("expired", 66),
    Story("accepted", 57, 6, deposit=30, billed="deposit"),
    Story("accepted", 51, 12),
    Story("declined", 46, 8),
    Story("accepted", 38, 2),
    Story("withdrawn", 33, 4),
    Story("accepted", 24, 5, deposit=50, billed="deposit"),
    Story("accepted", 16, 3, deposit=30),
    Story("declined", 12, 2),
    Story("accepted", 8, 1),
    Story("viewed", 9, 1, deposit=30),
    Story("viewed", 6, 2),
    Story("sent", 4),
    Story("sent", 1, deposit=30),
    Story("draft", 2),
    Story("draft", 0, deposit=30),
)


def play(on: date, clerk: User) -> int:
    """Tell every story; how many quotes there are then. What cannot be printed is left out."""
    with _at(on - timedelta(days=FIRST_DAY)):
        bring_in_force(language="fr", text=TERMS, by=clerk, on=on - timedelta(days=FIRST_DAY))
    deals = iter(
        Deal.objects.filter(status=Deal.Status.OPEN, client__isnull=False, client__country="FR")
        .exclude(client__address_line1="")
        .order_by("pk")
    )
    clients = cycle(
        Client.objects.filter(country="FR", merged_into__isnull=True)
        .exclude(address_line1="")
        .order_by("pk")[:24]
    )
    made = 0
    for place, story in enumerate(STORIES):
        day = on - timedelta(days=story.ago)
        deal = next(deals, None) if story.ago < 40 else None
        client = next(clients)
        with _at(day):
            try:
                with transaction.atomic():
                    quote = _written(place, story, deal, client, clerk, day)
                    if story.end != "draft":
                        _sent(quote, place, story, clerk, on)
            except (QuoteRefused, PdfRefused, TotalsRefused):
                # A client whose name no page can print: the demo has one on purpose.
                continue
        made += 1
    return made


@contextmanager
def _at(day: date, hour: int = 10) -> Iterator[datetime]:
    """What happens meanwhile happens then: events and files bear their own moments."""
    moment = timezone.make_aware(datetime.combine(day, time(hour, 12)))
    with mock.patch.object(timezone, "now", return_value=moment):
        yield moment


def _written(
    place: int, story: Story, deal: Deal | None, client: Client, clerk: User, day: date
) -> Quote:
    title, (words, price, quantity) = SUBJECTS[place % len(SUBJECTS)]
    if deal is not None:
        quote = beginning.quote_from_deal(deal_id=deal.pk, by=clerk, on=day)
        assert quote.version is not None
        if quote.version.total_minor > 0:
            _save(quote.version, None, clerk, deposit_percent=Decimal(story.deposit))
            return quote
    else:
        quote = beginning.new_quote(client_id=client.pk, by=clerk, on=day)
    assert quote.version is not None
    lines = [_line(words, price, quantity)]
    if place % 2:
        lines.append(_line("Rapport détaillé par client", "650", role="option", proposed=True))
        lines.append(_line("Suivi à trois mois", "900", role="option"))
    if place % 3 == 1:
        of = {"role": "alternative", "section": "Hébergement des données"}
        lines.append(_line("Hébergement en France", "1200", **of, proposed=True))
        lines.append(_line("Hébergement chez le client", "450", **of))
    _save(
        quote.version,
        lines,
        clerk,
        title=title,
        deposit_percent=Decimal(story.deposit),
        valid_until=day + timedelta(days=30),
    )
    return quote


def _line(words: str, price: str, quantity: str = "1", **choice: Any) -> dict[str, Any]:
    return {
        "description": words,
        "quantity": Decimal(quantity),
        "unit": "DAY" if "jour" in words.lower() else "LS",
        "unit_price": Decimal(price),
        "vat_category": "S",
        "vat_rate": Decimal(20),
        **choice,
    }


def _save(
    version: QuoteVersion, lines: list[dict[str, Any]] | None, clerk: User, **header: Any
) -> None:
    if lines is None:
        # The lines of the deal stay: only the head is another.
        for name, value in header.items():
            setattr(version, name, value)
        version.save()
        return
    problems = drafting.save_version(version_id=version.pk, header=header, lines=lines, by=clerk)
    if problems:
        raise QuoteRefused(" ".join(problems.values()))


def _sent(quote: Quote, place: int, story: Story, clerk: User, on: date) -> None:
    day = on - timedelta(days=story.ago)
    version_id = quote.version_id
    assert version_id is not None
    # What is still open is mailed, as the others were; their mails are long gone.
    to = quote.client.contacts.exclude(email="").values_list("email", flat=True)[:1]
    mailed = list(to) if story.end in (State.SENT, State.VIEWED) else []
    sending.send(version_id=version_id, recipients=mailed, by=clerk, on=day)
    if story.end in (State.SENT, State.EXPIRED):
        return
    with _at(day + timedelta(days=story.after), 15) as moment:
        answered = timezone.localdate(moment)
        if story.end == State.WITHDRAWN:
            reason = "Le besoin a changé"
            sending.withdraw(quote_id=quote.pk, reason=reason, by=clerk, on=answered)
            return
        answering.seen(version_id=version_id, at=moment)
        if story.end == State.DECLINED:
            answering.decline(
                version_id=version_id,
                reason=REASONS[place % len(REASONS)],
                text="Nous avons retenu une offre plus complète." if place % 2 else "",
                at=moment,
            )
        elif story.end == State.ACCEPTED:
            version = QuoteVersion.objects.get(pk=version_id)
            answering.accept(
                version_id=version_id,
                picked=proposed(list(version.lines.all())),
                read_minor=None,
                signer=Signer(SIGNERS[place % len(SIGNERS)], "Gérance", "203.0.113.24", "Firefox"),
                at=moment,
            )
    if story.billed:
        with _at(on):
            _billed(quote, story, clerk, on)


def _billed(quote: Quote, story: Story, clerk: User, on: date) -> None:
    """Issued today: numbers and dates go forward, and the weeks before are billed already."""
    if story.billed == "whole":
        invoice = converting.bill_whole(quote_id=quote.pk, by=clerk, on=on)
    else:
        percent = Decimal(story.deposit)
        invoice = converting.bill_deposit(quote_id=quote.pk, percent=percent, by=clerk, on=on)
    issue(invoice_id=invoice.pk, by=clerk, on=on)
