"""Tests of billing_portal/rendering.py."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.rendering import _QUICK, QuickRenderer

NASTY = "</select><b x='1' y=\"2\">&amp; {{ 7 }} é"
CHOICES = [
    ("", "–"),
    (1, gettext_lazy("Draft")),
    (NASTY, NASTY),
    ("safe", mark_safe("<i>safe</i>")),
    (NASTY, [("inner", "Inner"), (True, "True")]),
]
WIDGETS = [
    forms.TextInput(),
    forms.TextInput(attrs={"class": "num", "disabled": True, "hidden": False, "data-x": NASTY}),
    forms.NumberInput(attrs={"min": 0, "step": "0.01"}),
    forms.EmailInput(),
    forms.HiddenInput(),
    forms.CheckboxInput(),
    forms.Select(choices=CHOICES, attrs={"aria-label": NASTY}),
    forms.SelectMultiple(choices=CHOICES),
    forms.NullBooleanSelect(),
    forms.Textarea(),
    forms.CheckboxSelectMultiple(choices=CHOICES),
]


def written(renderer, widget, value):
    return widget.render(
        f"name-{NASTY}", value, attrs={"id": "id_x", "required": True}, renderer=renderer
    )


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: type(widget).__name__)
@pytest.mark.parametrize("value", [None, "", 0, 1, True, False, "1", NASTY, mark_safe("<b>")])
def test_controls_are_written_exactly_as_by_the_templates(widget, value):
    if isinstance(widget, forms.SelectMultiple | forms.CheckboxSelectMultiple):
        value = None if value is None else [value]
    assert written(QuickRenderer(), widget, value) == written(DjangoTemplates(), widget, value)


@given(st.text(), st.dictionaries(st.sampled_from(["class", "title", "data-a"]), st.text()))
def test_any_text_is_escaped_as_by_the_templates(value, attrs):
    for widget in (
        forms.TextInput(attrs=attrs),
        forms.Select(attrs=attrs, choices=[(value, value), ("a", attrs.get("title", ""))]),
    ):
        assert written(QuickRenderer(), widget, value) == written(DjangoTemplates(), widget, value)


def test_the_portal_uses_it(settings):
    assert settings.FORM_RENDERER == "billing_portal.rendering.QuickRenderer"
    assert "django/forms/widgets/select.html" in _QUICK
