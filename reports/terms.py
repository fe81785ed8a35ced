"""What the words of statistics and of receivables mean, in plain words; told where they stand."""

from __future__ import annotations

from django.utils.translation import gettext as _


def terms_of_delays() -> list[tuple[str, str]]:
    return [
        (
            _("Half paid, 3 in 4, 9 in 10"),
            _(
                "The day by which so many of the invoices are paid. “Half paid” is the median: "
                "unlike a mean, a few very late invoices do not move it."
            ),
        ),
        (
            _("Not reached"),
            _(
                "So many are open still that nobody can say the day yet. The day behind “>” is the "
                "last one on which at least five invoices were still watched."
            ),
        ),
        (
            # xgettext:no-python-format
            _("95% interval"),
            _(
                "Where the “half paid” day most likely lies. The fewer the payments, the wider it "
                "is; what differs within it may be chance."
            ),
        ),
        (
            _("Estimate, Kaplan–Meier"),
            _(
                "A count that does not leave open invoices out: each counts as unpaid up to its "
                "age. So a share is an estimate, and not simply paid invoices ÷ all of them."
            ),
        ),
        (
            _("Mean of paid, weighted average"),
            _(
                "Of paid invoices only, so too low while late ones are open. Weighted: a large "
                "amount counts more than a small one."
            ),
        ),
        (
            _("Beyond chance"),
            _(
                "So large a difference that, where nothing changed, at most one page in twenty "
                "would show one. Invoices of one client count together, as they are alike."
            ),
        ),
    ]


def terms_of_receivables() -> list[tuple[str, str]]:
    return [
        (
            _("DSO, simple"),
            _("Days of sales outstanding: how many days of sales are still owed."),
        ),
        (
            _("Best possible DSO"),
            _("What it would be if every client paid on the due date."),
        ),
        (
            _("Average days delinquent"),
            _("The rest: the days that come from paying late."),
        ),
        (
            _("DSO, countback"),
            _(
                "The same counted from the latest month back, so that a strong or weak month does "
                "not blur it."
            ),
        ),
        (
            _("DSO, rolling"),
            _("The same with the average of the month ends, which is steadier."),
        ),
        (
            _("Collection effectiveness"),
            # xgettext:no-python-format
            _("How much of what could be collected was: 100% is all that fell due."),
        ),
    ]


def terms_of_payments() -> list[tuple[str, str]]:
    return [
        (
            _("Weighted by amount"),
            _("A payment counts by its amount: a large one more than a small one."),
        ),
        (
            _("Days beyond terms (DBT)"),
            _("Days after the due date, where paying early counts as 0 and makes up for nothing."),
        ),
    ]
