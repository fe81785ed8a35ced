"""The files of a history, and how their columns are to be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal import dates
from billing_portal.figures import decimal, grouped
from billing_portal.typed import files
from billing_portal.typed.fields import DayField
from invoices.history.spelling import COMMA, DAY_FIRST, MONTH_FIRST, POINT, Answers


class FilesForm(forms.Form):
    clients = forms.FileField(label=gettext_lazy("Clients"), required=False, allow_empty_file=True)
    invoices = forms.FileField(
        label=gettext_lazy("Invoices and credit notes"), required=False, allow_empty_file=True
    )
    payments = forms.FileField(
        label=gettext_lazy("Payments"), required=False, allow_empty_file=True
    )

    items = forms.FileField(label=gettext_lazy("Catalogue"), required=False, allow_empty_file=True)

    go_live = DayField(
        label=gettext_lazy("Go-live day, if the files hold only what was open then"),
        required=False,
        help_text=gettext_lazy(
            "Empty when they hold all of the past. Reports of delays must know: of open items "
            "alone, the ones that were paid before are missing."
        ),
    )

    def clean(self) -> dict[str, Any]:
        # Neither None nor False, which a box to clear a file would send.
        found = {name: file for name, file in self.cleaned_data.items() if file}
        if not found.keys() - {"go_live"} and not self.errors:
            raise forms.ValidationError(_("Choose at least one file."))
        if (day := found.get("go_live")) and day > timezone.localdate():
            self.add_error("go_live", _("The day is in the future."))
        return found


class QuestionsForm(forms.Form):
    """One choice for each column that can be read in two ways; none is chosen beforehand."""

    def __init__(self, questions: list[dict[str, Any]], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for question in questions:
            self.fields[question["name"]] = forms.ChoiceField(
                label=_asked(question),
                help_text=_how_often(question),
                choices=_readings(question["what"], question["text"]),
                widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
                error_messages={"required": _("Choose one: nothing is guessed.")},
            )

    def answers(self) -> Answers:
        return {name: str(choice) for name, choice in self.cleaned_data.items()}


def _asked(question: dict[str, Any]) -> str:
    values = {
        "file": question["file"],
        "column": question["name"].partition(".")[2],
        "text": question["text"],
        "line": question["line"],
    }
    return _("%(file)s, %(column)s: what is “%(text)s” on line %(line)s?") % values


def _how_often(question: dict[str, Any]) -> str:
    more = question["cells"] - 1
    if not more:
        return ""
    text = ngettext(
        "%(n)s more cell of this column is like it.",
        "%(n)s more cells of this column are like it.",
        more,
    )
    return text % {"n": grouped(more)}


def _readings(what: str, text: str) -> list[tuple[str, str]]:
    if what == "day":
        return [
            (DAY_FIRST, _("%(day)s: the day comes first") % {"day": _day(text, False)}),
            (MONTH_FIRST, _("%(day)s: the month comes first") % {"day": _day(text, True)}),
        ]
    point, comma = files.in_both_ways(text)
    if text.rfind(",") > text.rfind("."):
        groups, decimals = _("%(n)s: the comma groups thousands"), _("%(n)s: a decimal comma")
        return [(POINT, groups % {"n": decimal(point)}), (COMMA, decimals % {"n": decimal(comma)})]
    groups, decimals = _("%(n)s: the point groups thousands"), _("%(n)s: a decimal point")
    return [(COMMA, groups % {"n": decimal(comma)}), (POINT, decimals % {"n": decimal(point)})]


def _day(text: str, month_first: bool) -> str:
    return dates.day(files.read_day(text.strip(), month_first=month_first))
