"""Every form × what people (and others) type into numbers, amounts, days and texts.

Two walks, so that a new form cannot forget it: over every Form class, whose fields must be those of
billing_portal/typed; and over every page of every address, whose forms are posted with each of the
values in each field. The answer is a page, a redirect or a refusal in words, never a failure, and
no figure is stored a thousand times too large or too small.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import date
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation

import billing_portal
import integrations
import invoices
import reports
from billing_portal.accounts.models import User
from billing_portal.typed.fields import (
    DayField,
    LineField,
    LinesField,
    MoneyField,
    NumberField,
    WholeNumberField,
)
from integrations.crm.values import one_line as crm_line
from tests.page_forms import PageForms
from tests.test_hostile_requests import (  # noqa: F401 - fixtures
    _ask,
    _signed_in,
    _written,
    failures,
    places,
)

# What is typed → what an English and a French reader have meant; None is refused in words.
NUMBERS = {
    "0": (0, 0),
    "-1": (-1, -1),
    "1e9": (None, None),
    "1000000000": (10**9, 10**9),
    "1,000": (1000, 1),
    "1.000": (1, None),
    "1 000": (1000, 1000),
    "٣": (None, None),
    "３": (None, None),
    "--1": (None, None),
    "1.2.3": (None, None),
    "1" * 10_000: (None, None),
    "1\0": (None, None),
    "\u200f1": (None, None),
    "\u202e1": (None, None),
}
DAYS = {
    "24": None,
    "31/02/2026": None,
    "01/03/2206": None,
    "01/03/2006": date(2006, 3, 1),
    "01/03/26": date(2026, 3, 1),
    "٠١/٠٣/٢٠٢٦": None,
    "1" * 10_000: None,
    "01/03/2026\0": None,
    "\u200f01/03/2026": None,
}
TEXTS = ["x" * 10_000, "a\0b", "\u202eabc", "a\r\nBcc: x@y.example", "a\u200bb"]
EVERYTHING = list(dict.fromkeys([*NUMBERS, *DAYS, *TEXTS]))


APPS = {app.__name__: app for app in (billing_portal, invoices, reports, integrations)}


def _modules():
    for name, app in APPS.items():
        for found in pkgutil.walk_packages(app.__path__, f"{name}."):
            if not any(part in found.name for part in (".migrations", ".settings", "__main__")):
                yield importlib.import_module(found.name)


def _form_classes():
    found = {
        value
        for module in _modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, forms.BaseForm)
        and value.__module__.split(".")[0] in APPS
    }
    return sorted(found, key=lambda each: f"{each.__module__}.{each.__name__}")


FORMS = _form_classes()
PLAIN = {
    # Django's own, read by texts of their own kind.
    forms.EmailField, forms.URLField, forms.BooleanField, forms.ChoiceField, forms.TypedChoiceField,
    forms.ModelChoiceField, forms.MultipleChoiceField, forms.FileField,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.__module__}.{form.__name__}")
def test_every_field_of_every_form_is_read_by_the_one_reader(form):
    """Django's CharField keeps line breaks, its IntegerField takes ٣."""
    for name, field in getattr(form, "base_fields", {}).items():
        if field.widget.is_hidden:
            continue  # written by our own page, not typed
        ours = isinstance(field, LineField | LinesField | NumberField | DayField)
        multiple = isinstance(field, forms.ModelMultipleChoiceField)
        assert ours or multiple or type(field) in PLAIN or _is_file(field), (name, type(field))


def _is_file(field):
    return isinstance(field, forms.FileField)


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("language", ["en-gb", "fr"])
def test_a_number_has_a_named_answer_and_never_another_magnitude(language, text):
    meant = NUMBERS[text][language == "fr"]
    with translation.override(language):
        for field in (NumberField(), MoneyField(currency="TND"), WholeNumberField()):
            try:
                read = field.clean(text)
            except ValidationError as problem:
                assert all(len(sentence) < 200 for sentence in problem.messages)
                assert meant is None or isinstance(field, WholeNumberField), (field, problem)
            else:
                assert Decimal(getattr(read, "amount", read)) == meant


@pytest.mark.parametrize("text", DAYS, ids=lambda text: ascii(text)[:20])
def test_a_day_has_a_named_answer(text):
    field = DayField(today=date(2026, 11, 24))
    if DAYS[text] is None:
        with pytest.raises(ValidationError) as refusal:
            field.clean(text)
        assert len(refusal.value.messages[0]) < 200
    else:
        assert field.clean(text) == DAYS[text]


def test_a_text_of_one_line_has_one_line_and_nothing_unseen():
    assert LineField().clean("a\r\nBcc: x@y.example") == "a Bcc: x@y.example"
    assert LineField().clean("\u202eab\u200bc\ufeff") == "abc"
    assert LinesField().clean("a\r\nb\u202e\tc\x07") == "a\nb\tc"
    assert LineField().clean("Café d’Été — 10\u00a0€ 🎉") == "Café d’Été — 10\u00a0€ 🎉"
    for field in (LineField(), LinesField()):
        with pytest.raises(ValidationError, match="Null characters"):
            field.clean("a\0b")
    with pytest.raises(ValidationError, match="at most 20"):
        LineField(max_length=20).clean("x" * 10_000)
    with pytest.raises(ValidationError, match="required"):
        LineField().clean("\u200b")


def test_titles_from_the_crm_are_of_one_line_too():
    assert crm_line("Audit\r\nBcc: x@y.example\u202e\u200b") == "Audit Bcc: x@y.example"


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")
@pytest.mark.parametrize("app", ["accounts", "company", "integrations", "invoices", "reports"])
def test_no_field_of_any_page_fails_on_what_is_typed(app, places, failures):  # noqa: F811
    browser = _signed_in(User.Role.ADMINISTRATOR)
    wrong, posted = [], set()
    for name, url in places.items():
        if not name.startswith(f"{app}:"):
            continue
        page = _ask(browser, "get", url)
        if "html" not in page.headers.get("Content-Type", "") or page.streaming:
            continue
        for action, fields in PageForms(page.text).found:
            # The frame of every page has the same; an act without a field types nothing.
            typed = sorted(fields.keys() - {"csrfmiddlewaretoken", "once"})
            if "logout" in action or not typed or (action or url, tuple(typed)) in posted:
                continue
            posted.add((action or url, tuple(typed)))
            for value in EVERYTHING:
                failures.clear()
                # All fields at once: the forms judge each by itself.
                answer = _ask(browser, "post", action or url, _written(dict.fromkeys(typed, value)))
                if answer.status_code >= 500 or failures:
                    wrong.append((action or url, value[:20]))
            for field in typed:
                for value in ("1.000", "٣", "\u202e1\0"):
                    failures.clear()
                    given = {**fields, field: value}
                    answer = _ask(browser, "post", action or url, _written(given))
                    if answer.status_code >= 500 or failures:
                        wrong.append((action or url, field, value))
    assert not wrong, wrong
