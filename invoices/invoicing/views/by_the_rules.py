"""How the lines of a draft may be taxed, and the button that does it by where they are supplied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from invoices.clients.vat import Supplied, vat_treatment
from invoices.company.exemptions import Exemptions
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.lines import TypedLine, VatChoices, parts_of_vat, vat_value
from invoices.models import Client, Company
from invoices.tax.territories import Territory


def follow_the_rules(
    lines: Sequence[TypedLine], client: Client, document: Supplied, on: date
) -> None:
    """Only what is typed changes, for its person to see; an article that somebody chose stays."""
    company, rates = Company.ours(), FrenchRates()
    for line in lines:
        category, rate, article = parts_of_vat(line.vat)
        if category == "E" or article or line.nature not in set(Nature):
            continue
        usual = vat_treatment(client, company, line.nature, document=document)
        if usual.category == category == STANDARD:
            lawful = rates.on(on, usual.taxed_in)
            for each in rates.on(None):
                if format(each.normalize(), "f") != rate:
                    continue
                # 10 % of the metropole is 2.1 % overseas, and not the usual rate of there.
                same = vat_treatment(client, company, line.nature, each, document)
                kept = [known for known in (each, same.rate) if known in lawful]
                usual = replace(usual, rate=(*kept, usual.rate)[0])
        line.vat = vat_value(usual.category, usual.rate)


def vat_choices(
    client: Client, document: Supplied, company: Company | None, day: date
) -> VatChoices:
    """The rates of that day; of a seller elsewhere we know no others than the French."""
    rates = FrenchRates()
    here = rates.on(day, vat_treatment(client, company, document=document).taxed_in)
    return typed.vat_choices(
        here or rates.on(day, Territory.METROPOLE),
        rates.on(day),
        Exemptions().on(day),
        zero=company is not None and not company.place.of_french_law,
    )
