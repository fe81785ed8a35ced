"""Form fields of what people type. Every form is built from these: tests/test_typed_input.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal import dates
from billing_portal.money import LARGEST_MINOR, digits, to_minor
from billing_portal.typed import numbers, texts
from billing_portal.typed.days import doubt, machine_day, read_day


# ─ Texts ────────────────────────────────────────────────────────────────────────────────────────
class LineField(forms.CharField):
    """A text of one line, without signs that cannot be seen; breaks become spaces."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        # A NUL is refused in words by the validator of the class above.
        return texts.one_line(text) if text and "\0" not in text else text or ""


class LinesField(forms.CharField):
    """A text of several lines, without signs that cannot be seen."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return texts.lines(text) if text and "\0" not in text else text or ""


# ─ Numbers and amounts ──────────────────────────────────────────────────────────────────────────
class NumberField(forms.Field):
    """A number as its reader types it; cleans to Decimal."""

    widget = forms.TextInput

    def __init__(
        self,
        *,
        places: int = 6,
        least: Decimal | int | None = None,
        most: Decimal | int | None = None,
        above_zero: bool = False,
        **options: Any,
    ) -> None:
        # Before Django asks for the attributes of the widget, which tell the keyboard.
        self.places, self.above_zero = places, above_zero
        super().__init__(**options)
        self.least = None if least is None else Decimal(least)
        self.most = None if most is None else Decimal(most)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal" if self.places else "numeric", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        # What was typed comes back as it was typed: only numbers are written out.
        if isinstance(value, Money):
            value = value.amount
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            return numbers.as_typed(Decimal(value))
        return value

    def read(self, text: str) -> Decimal:
        return numbers.read_number(text)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = numbers.as_typed(Decimal(value)) if isinstance(value, Decimal | int) else str(value)
        if not text.strip():
            return None
        try:
            number = self.read(text)
        except numbers.Ambiguous as question:
            raise ValidationError(str(question), code="ambiguous") from question
        except texts.Unreadable as problem:
            raise ValidationError(str(problem), code="unreadable") from problem
        if numbers.is_finer(number, self.places):
            raise ValidationError(numbers.too_fine(self.places), code="places")
        if self.above_zero and number <= 0:
            raise ValidationError(self.sentence_below_zero(), code="least")
        if self.least is not None and number < self.least:
            raise ValidationError(
                _("At least %(least)s.") % {"least": numbers.as_typed(self.least)}, code="least"
            )
        if self.most is not None and number > self.most:
            raise ValidationError(
                _("At most %(most)s.") % {"most": numbers.as_typed(self.most)}, code="most"
            )
        return number

    def sentence_below_zero(self) -> str:
        return _("Give a number above zero.")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


class WholeNumberField(NumberField):
    """A whole number; cleans to int."""

    def __init__(self, **options: Any) -> None:
        super().__init__(places=0, **options)

    def to_python(self, value: Any) -> int | None:
        number = super().to_python(value)
        return None if number is None else int(number)


class MoneyField(NumberField):
    """An amount in one currency as its reader types it; cleans to Money."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        super().__init__(places=digits(currency), **options)
        self.currency = currency

    def read(self, text: str) -> Decimal:
        return numbers.read_amount(text, self.currency)

    def sentence_below_zero(self) -> str:
        return _("Give an amount above zero.")

    def to_python(self, value: Any) -> Money | None:
        if isinstance(value, Money):
            return value
        number = super().to_python(value)
        if number is None:
            return None
        amount = Money(number, self.currency)
        if abs(to_minor(amount)) > LARGEST_MINOR:
            raise ValidationError(_("No amount here is that large: check the figure."))
        return amount


# ─ Days ─────────────────────────────────────────────────────────────────────────────────────────
class TypedDay(str):
    """A day as it was typed, and the day that its writer has confirmed, if there was a doubt."""

    confirmed = ""


class DayInput(forms.TextInput):
    """The text of a day; below it, where the day is unlikely, a box to confirm it."""

    asks = ""
    today: date | None = None

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "text", "autocomplete": "off", **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime):
            value = value.date()
        if isinstance(value, date):
            return dates.as_typed(value)
        text: str | None = super().format_value(value)
        try:
            # An ISO day from an address reads like the others.
            return dates.as_typed(machine_day(text)) if text else text
        except ValueError:
            return text

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        if not self.asks or not isinstance(text, str):
            return text
        typed = TypedDay(text)
        typed.confirmed = str(data.get(f"{name}-really", ""))
        return typed

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        control: SafeString = super().render(name, value, attrs, renderer)
        day = self._doubtful(value)
        if day is None:
            return control
        # A day that stands in the row was confirmed when it was saved.
        agreed = isinstance(value, date) or getattr(value, "confirmed", "") == day.isoformat()
        return format_html(
            '{}<label class="form-check mt-1 mb-0"><input class="form-check-input" type="checkbox"'
            ' name="{}-really" value="{}"{}>'
            '<span class="form-check-label">{}</span></label>',
            control,
            name,
            day.isoformat(),
            mark_safe(" checked") if agreed else "",
            _("Yes, %(day)s is right") % {"day": dates.day(day)},
        )

    def _doubtful(self, value: Any) -> date | None:
        if not self.asks or not value:
            return None
        today = self.today or timezone.localdate()
        try:
            day = value if isinstance(value, date) else read_day(str(value), today)
        except texts.Unreadable:
            return None
        return day if doubt(day, today, self.asks == "both") else None


class DayField(forms.Field):
    """A day as people type it; cleans to date. `today` may be set by the form (default: now).

    With `asks`, "past" or "both", a day more than a year ago (or away) is asked about, and taken
    once it is confirmed; with "past" a day after today is refused.
    """

    widget = DayInput

    def __init__(self, *, today: date | None = None, asks: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.today, self.asks = today, asks
        self.widget.asks = asks

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        if isinstance(value, date):
            return value
        if not str(value).strip():
            return None
        today = self.today or timezone.localdate()
        try:
            day = read_day(str(value), today)
        except texts.Unreadable as problem:
            raise ValidationError(str(problem), code="date") from problem
        if self.asks == "past" and day > today:
            raise ValidationError(_("This day is in the future."), code="future")
        question = doubt(day, today, self.asks == "both") if self.asks else ""
        if question and getattr(value, "confirmed", "") != day.isoformat():
            raise ValidationError(question, code="unlikely")
        return day

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True
