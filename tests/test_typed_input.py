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
from tests.asking import ask, signed_in, written
from tests.page_forms import PageForms, alone, shape_of

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
        plain = isinstance(field, forms.ModelMultipleChoiceField | forms.FileField)
        assert ours or plain or type(field) in PLAIN, (name, type(field))


# What is said of a value that is refused, in English and in French.
_OTHER_DIGITS = ("with the digits 0 to 9", "avec les chiffres 0 à 9")
_UNSEEN = ("a sign that cannot be seen (U+%s)", "un caractère invisible (U+%s)")


def _unseen(code):
    return tuple(text % code for text in _UNSEEN)


NUMBER_SAYS = {
    "1e9": ("is a short form: write all digits", "est une notation abrégée"),
    "1.000": ("", "Est-ce 1\u202f000 ou 1\u202f? Tapez 1000 ou 1."),
    "٣": _OTHER_DIGITS,
    "３": _OTHER_DIGITS,
    "--1": ("“--1” is not a number.", "«\u202f--1\u202f» n’est pas un nombre."),
    "1.2.3": ("write it like 1,234.50", "écrivez-le comme 1\u202f234,50"),
    "1" * 10_000: ("That is too long for a number", "C’est trop long pour un nombre"),
    "1\0": _unseen("0000"),
    "\u200f1": _unseen("200F"),
    "\u202e1": _unseen("202E"),
}
_NO_DATE = ("is not a date: write it like", "n’est pas une date\u202f: écrivez-la comme")
DAY_SAYS = {
    "24": _NO_DATE,
    "31/02/2026": ("There is no day 31 in", "Il n’y a pas de jour 31 en"),
    "01/03/2206": ("The year 2206 is out of range", "L’année 2206 est hors limites"),
    "٠١/٠٣/٢٠٢٦": _OTHER_DIGITS,
    "1" * 10_000: _NO_DATE,
    "01/03/2026\0": _unseen("0000"),
    "\u200f01/03/2026": _unseen("200F"),
    "1e9": _NO_DATE,
    "1,000": _NO_DATE,
}
FAR_DAY = ("is more than a year ago", "remonte à plus d’un an")
TEXT_SAYS = {
    "a\0b": ("Null characters are not allowed", "Le caractère nul n’est pas autorisé"),
    "x" * 10_000: (
        "Ensure this value has at most",
        "Assurez-vous que cette valeur comporte au plus",
    ),
}


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
                if meant is None:
                    assert NUMBER_SAYS[text][language == "fr"] in problem.messages[0]
                else:
                    assert isinstance(field, WholeNumberField), (field, problem)
            else:
                assert Decimal(getattr(read, "amount", read)) == meant


@pytest.mark.parametrize("text", DAYS, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("language", ["en-gb", "fr"])
def test_a_day_has_a_named_answer(language, text):
    field = DayField(today=date(2026, 11, 24))
    with translation.override(language):
        if DAYS[text] is None:
            with pytest.raises(ValidationError) as refusal:
                field.clean(text)
            assert DAY_SAYS[text][language == "fr"] in refusal.value.messages[0]
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


def _named(field, text, french):
    """What a form has to say of the text in this field; "" where the field may take it."""
    if isinstance(field, NumberField):
        return NUMBER_SAYS.get(text, ("", ""))[french]
    if isinstance(field, DayField):
        asked = text == "01/03/2006" and field.asks
        return (FAR_DAY if asked else DAY_SAYS.get(text, ("", "")))[french]
    # Its subclasses (addresses of a mail) are judged by words of their own.
    long = text[:1] == "x" and len(text) <= (getattr(field, "max_length", None) or len(text))
    if type(field) in (LineField, LinesField) and not long:
        return TEXT_SAYS.get(text, ("", ""))[french]
    return ""


@pytest.fixture
def judged(monkeypatch):
    """The forms that were judged since it was last cleared."""
    found = []
    plain = forms.BaseForm.full_clean

    def watched(form):
        plain(form)
        if form.is_bound:
            found.append(form)

    monkeypatch.setattr(forms.BaseForm, "full_clean", watched)
    return found


def _unsaid(judged, given, french):
    """The fields that took a bad value without its sentence."""
    for form in judged:
        for name, field in form.fields.items():
            text = given.get(form.add_prefix(name))
            if field.disabled or field.widget.is_hidden or text is None:
                continue
            wanted = _named(field, text, french)
            said = " ".join(str(each) for each in form.errors.get(name, ()))
            if wanted not in said:
                yield f"{type(form).__name__}.{name}", text[:20], wanted, said


def _typed_forms(browser, app, addresses):
    """Each form of each page of an app once, with the fields in which something is typed."""
    posted = set()
    for name, url in addresses.items():
        if not name.startswith(f"{app}:"):
            continue
        page = ask(browser, "get", url)
        if "html" not in page.headers.get("Content-Type", "") or page.streaming:
            continue
        for action, fields in PageForms(page.text).found:
            # The frame of every page has the same; an act without a field types nothing.
            typed = sorted(fields.keys() - {"csrfmiddlewaretoken", "once", "confirmed"})
            form = (shape_of(action or url), tuple(typed))
            if "logout" in action or not typed or form in posted:
                continue
            posted.add(form)
            yield action or url, fields, typed


def _bad(fields, typed):
    """All fields bad at once: each another value than its neighbour, another one each time.

    Every form meets every value, every kind of field meets all of them over the forms; a form of
    few fields meets all in each.
    """
    step = min(4, max(1, len(typed) // 2))
    kept = {name: fields[name] for name in ("once", "confirmed") if name in fields}
    for turn in range(0, len(EVERYTHING), step):
        values = (EVERYTHING[(turn + n) % len(EVERYTHING)] for n in range(len(typed)))
        yield {**dict(zip(typed, values, strict=True)), **kept}
    # One bad field among right ones: what a form looks at only then.
    for n, name in enumerate(alone(typed)):
        yield {**fields, name: ("1.000", "٣", "\u202e1\0")[n % 3]}


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")
@pytest.mark.parametrize("app", ["accounts", "company", "integrations", "invoices", "reports"])
def test_no_field_of_any_page_fails_on_what_is_typed(app, places, failures, judged):
    browser = signed_in(User.Role.ADMINISTRATOR)
    wrong, met = [], 0
    for url, fields, typed in _typed_forms(browser, app, places):
        for turn, given in enumerate(_bad(fields, typed)):
            french = turn % 2 == 1
            User.objects.update(language="fr" if french else "en-gb")
            failures.clear()
            judged.clear()
            answer = ask(browser, "post", url, written(given))
            if answer.status_code >= 500 or failures:
                wrong.append((url, {name: text[:20] for name, text in given.items()}))
            wrong += [(url, *each) for each in _unsaid(judged, given, french)]
            met += len(judged)
    assert not wrong, wrong
    assert met, "no form was judged"
