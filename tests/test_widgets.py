"""The templates of form fields: templates/django/forms/widgets."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.test.html import parse_html
from django.utils.safestring import mark_safe

NASTY = "a\"b'c<d>&amp; é \xa0"
CHOICES = [
    ("", "–"),
    (1, NASTY),
    (1000, mark_safe("<i>safe</i>")),
    (NASTY, [("inner", "Inner"), (True, "True")]),
]
ODD = {"class": "num", "disabled": True, "hidden": False, "data-x": NASTY, "maxlength": 1000}
WIDGETS = [
    forms.TextInput(),
    forms.TextInput(attrs=ODD),
    forms.NumberInput(attrs={"min": 0, "step": "0.01"}),
    forms.HiddenInput(),
    forms.Select(choices=CHOICES, attrs=ODD),
    forms.SelectMultiple(choices=CHOICES),
    forms.NullBooleanSelect(),
]


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: type(widget).__name__)
@pytest.mark.parametrize("value", [None, "", 0, 1000, True, False, "1", NASTY, mark_safe("<b>")])
def test_fields_say_what_those_of_django_say(widget, value):
    if isinstance(widget, forms.SelectMultiple):
        value = None if value is None else [value]
    ours, theirs = (
        parse_html(widget.render(NASTY, value, {"id": "id_x", "required": True}, renderer))
        for renderer in (get_default_renderer(), DjangoTemplates())
    )
    assert ours == theirs


@pytest.mark.parametrize("name", ["text", "select"])
def test_the_templates_of_the_portal_are_the_ones_used(settings, name):
    template = get_default_renderer().get_template(f"django/forms/widgets/{name}.html")
    assert template.origin.name.startswith(str(settings.BASE_DIR / "templates"))
