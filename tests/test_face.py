"""What holds for every template: icons exist, nothing inline, formats as ui/UI.md says."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpResponse, QueryDict
from django.template import Context, engines
from django.test import RequestFactory
from django.urls import path
from django.utils import timezone, translation
from moneyed import Money

from billing_portal.figures import grouped
from billing_portal.templatetags.portal import query_with
from billing_portal.toasts import add_toast, announce, close_overlays, refresh_counts
from billing_portal.urls import urlpatterns as real
from tests.factories import make_client_type, make_company, make_invoice

ROOT = Path(settings.BASE_DIR)
PAGES = [
    path
    for path in (ROOT / "templates").rglob("*.html")
    if not {"pdf", "email"} & set(path.relative_to(ROOT).parts)
]
SOURCES = [
    *PAGES,
    *(
        source
        for app in ("billing_portal", "invoices", "reports", "integrations")
        for source in (ROOT / app).rglob("*.py")
        if "migrations" not in source.parts
    ),
]


def show(template, request=None, **context):
    return engines["django"].from_string(template).render(context, request)


# ─ Every template ───────────────────────────────────────────────────────────────────────────────
def test_every_icon_in_use_is_in_the_sprite():
    sprite = (ROOT / "static" / "vendor" / "icons.svg").read_text()
    known = set(re.findall(r'id="(?:i-)?([\w-]+)"', sprite))
    used = {}
    for source in SOURCES:
        text = source.read_text()
        for name in re.findall(r"""\{% icon ["']([\w-]+)["']""", text):
            used[name] = source.name
        for name in re.findall(r"""icon_html\(\s*["']([\w-]+)["']""", text):
            used[name] = source.name
        for name in re.findall(r"""(?:icon_name|action_icon)=["']([\w-]+)["']""", text):
            used[name] = source.name
    missing = {name: where for name, where in used.items() if name not in known}
    assert not missing, f"Add to billing_portal/assets/icons.txt and cut the sprite: {missing}"


@pytest.mark.parametrize("source", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_no_inline_style_script_or_handler(source):
    # The security policy would block each of them, silently.
    text = re.sub(r"\{#.*?#\}", "", source.read_text())
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert not re.search(r"javascript:|hx-on|hx-vals=.js:", text)


def test_a_template_names_no_other_host():
    for source in PAGES:
        found = re.findall(r"(?:src|href|action)=[\"'](?:https?:)?//[^\"']*", source.read_text())
        assert found == [], source


def test_vendored_files_ask_for_no_source_map():
    # The static manifest storage would stop on the missing map.
    for source in (ROOT / "static" / "vendor").rglob("*"):
        if source.suffix in {".js", ".css"}:
            assert "sourceMappingURL" not in source.read_text(errors="replace"), source


# ─ Figures and days ─────────────────────────────────────────────────────────────────────────────
def test_amounts_and_numbers_follow_the_reader():
    template = "{{ a|money }}|{{ m|minor:'JPY' }}|{{ n|number }}|{{ d|decimal }}|{{ p|percent }}"
    values = {
        "a": Money("-12480", "EUR"),
        "m": 5000,
        "n": -1234567,
        "d": Decimal("1234.5000"),
        "p": Decimal("5.50"),
    }
    assert show(template, **values) == "−€12,480.00|JP¥5,000|−1,234,567|1,234.5|5.5%"
    with translation.override("fr"):
        assert show(template, **values) == (
            "−12\u202f480,00\xa0€|5\u202f000\xa0JPY|−1\u202f234\u202f567|1\u202f234,5|5,5\xa0%"
        )


def test_what_has_no_value_is_a_dash_never_a_zero():
    template = "{{ x|money }}{{ x|minor:'EUR' }}{{ x|number }}{{ x|decimal }}{{ x|percent }}"
    assert show(template + "{{ x|day }}{{ x|short_day }}{{ x|moment }}", x=None) == "–" * 8


def test_days_carry_their_machine_form():
    assert show("{{ d|day }}", d=date(2026, 11, 24)) == (
        '<time datetime="2026-11-24">24\xa0Nov 2026</time>'
    )
    at = timezone.make_aware(datetime(2026, 11, 24, 9, 12))
    assert 'datetime="2026-11-24T09:12:00+01:00"' in show("{{ d|moment }}", d=at)


def test_grouping_is_right_around_zero():
    assert [grouped(n) for n in (0, 999, 1000, -1)] == ["0", "999", "1,000", "−1"]


# ─ Signs ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_a_name_with_markup_stays_text():
    row = make_client_type("<img src=x onerror=alert(1)> {{ 7|add:7 }}", mark="sme")
    shown = show("{% ct row %}{% ct_mark row %}", row=row)
    assert "<img" not in shown
    assert "&lt;img" in shown and "{{ 7|add:7 }}" in shown


@pytest.mark.django_db
def test_a_list_shows_the_most_pressing_state_and_notes_the_others():
    invoice = make_invoice(total_minor=100, paid_minor=40, outstanding_minor=60)
    late = show("{% state invoice on %}", invoice=invoice, on=date(2027, 1, 1))
    assert "state-overdue" in late and '<span class="note"> · part settled</span>' in late
    early = show("{% state invoice on %}", invoice=invoice, on=date(2026, 9, 2))
    assert "state-part" in early and "note" not in early


# ─ Forms ────────────────────────────────────────────────────────────────────────────────────────
class Sample(forms.Form):
    amount = forms.CharField(label="Amount", help_text="In euros")
    note = forms.CharField(label="Note", required=False)
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="Agreed")
    secret = forms.CharField(widget=forms.HiddenInput)


def test_a_wrong_field_says_so_to_eyes_and_screen_readers():
    form = Sample({"note": "<b>"})
    shown = show("{% field form.amount klass='num' wrapper='col-6' %}", form=form)
    assert 'class="form-control num is-invalid"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_amount-e id_amount-h"' in shown
    assert 'id="id_amount-e"' in shown and 'id="id_amount-h"' in shown
    assert "optional" not in shown
    assert "&lt;b&gt;" in show("{% field form.note %}", form=form)


def test_a_field_that_may_stay_empty_says_so():
    assert "(optional)" in show("{% field form.note %}", form=Sample())
    assert "optional" not in show("{% field form.note optional=False %}", form=Sample())


def test_boxes_and_choices_have_their_own_shape():
    form = Sample()
    assert "form-check-input" in show("{% field form.agreed switch=True %}", form=form)
    radio = show("{% field form.kind %}", form=form)
    assert "<fieldset" in radio and "<legend" in radio
    assert show("{% field form.secret %}", form=form).strip().startswith('<input type="hidden"')


def test_the_summary_of_a_refused_form_links_to_its_fields():
    form = Sample({"agreed": ""})
    form.add_error(None, "Too late.")
    shown = show("{% form_errors form nothing='Nothing was sent.' %}", form=form)
    assert "Nothing was sent." in shown and "Too late." in shown
    assert 'href="#id_amount"' in shown
    assert 'role="alert"' in shown
    assert show("{% form_errors form %}", form=Sample()).strip() == ""


def test_one_wrong_field_needs_no_summary():
    form = Sample({"amount": "1", "kind": "a", "agreed": "on", "secret": "x"})
    assert form.is_valid()
    form.add_error("amount", "Not so.")
    assert show("{% form_errors form %}", form=form).strip() == ""


def test_each_form_gets_a_key_of_its_own():
    first, second = show("{% once %}"), show("{% once %}")
    assert 'name="once"' in first
    assert first != second


# ─ Addresses and answers ────────────────────────────────────────────────────────────────────────
def test_a_query_string_changes_some_values_and_keeps_the_others():
    params = QueryDict("type=1&type=2&state=open&after=x")
    assert query_with(params, {"after": None, "sort": "-due"}) == (
        "?type=1&type=2&state=open&sort=-due"
    )
    assert query_with(params, {"type": [3, 4], "state": ""}) == "?type=3&type=4&after=x"


def test_what_an_answer_adds_lands_outside_its_panel():
    answer = add_toast(HttpResponse("<p>panel</p>"), "<b>Done</b>", url="/x/")
    announce(answer, "3 rows <i>")
    close_overlays(refresh_counts(answer))
    text = answer.text
    assert 'hx-swap-oob="beforeend:#toasts"' in text
    assert "&lt;b&gt;Done&lt;/b&gt;" in text
    assert '<div id="announce" hx-swap-oob="innerHTML">3 rows &lt;i&gt;</div>' in text
    assert "counts-changed" in answer["HX-Trigger"]
    assert "close-overlays" in answer["HX-Trigger-After-Settle"]


# ─ Pages that tell of trouble ───────────────────────────────────────────────────────────────────
def _fails(request):
    raise RuntimeError("a bug")


urlpatterns = [path("fails/", _fails), *real]


@pytest.mark.django_db
def test_a_bug_shows_a_page_that_needs_neither_database_nor_context(client, settings):
    settings.ROOT_URLCONF = "tests.test_face"
    client.raise_request_exception = False
    make_company()
    from django.contrib.auth import get_user_model

    client.force_login(
        get_user_model().objects.create_user("a@b.example", "x"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    answer = client.get("/fails/")
    assert answer.status_code == 500
    assert "Nothing was half done" in answer.text


def test_the_page_of_a_bug_renders_from_nothing():
    assert "<h1>" in engines["django"].get_template("500.html").template.render(Context())


@pytest.mark.django_db
def test_an_unknown_address_keeps_the_frame_for_those_who_are_signed_in(clerk_client, client):
    inside = clerk_client.get("/nowhere/")
    assert inside.status_code == 404
    assert 'class="sidebar' in inside.text
    outside = client.get("/nowhere/")
    assert outside.status_code == 404
    assert 'class="sidebar' not in outside.text


@pytest.mark.django_db
def test_a_forbidden_page_names_the_role(sales_client):
    answer = sales_client.get("/settings/company/")
    assert answer.status_code == 403
    assert "Your role, Sales, does not include it." in answer.text


@pytest.mark.django_db
def test_an_expired_form_says_what_to_do(clerk):
    from django.test import Client as Browser

    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.post("/settings/language/", {"language": "fr"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.text


def test_an_unknown_host_is_refused_with_a_page(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400


# ─ The frame ────────────────────────────────────────────────────────────────────────────────────
def _frame_for(user, path="/settings/profile/"):
    request = RequestFactory().get(path)
    request.user, request.session = user, {}
    request._messages = FallbackStorage(request)
    return show("{% extends 'base.html' %}", request)


@pytest.mark.django_db
def test_the_sidebar_shows_what_the_role_may_open(clerk):
    clerk.role = "sales"
    shown = _frame_for(clerk)
    assert ">Settings<" not in shown and 'href="/settings/"' not in shown
    clerk.role = "administrator"
    assert 'href="/settings/"' in _frame_for(clerk)


@pytest.mark.django_db
def test_the_frame_names_the_company_and_costs_one_query(clerk, django_assert_num_queries):
    make_company(name="Étude & Fils <b>")
    with django_assert_num_queries(1):
        shown = _frame_for(clerk)
    assert "Étude &amp; Fils &lt;b&gt;" in shown
    assert '<span class="brand-mark" aria-hidden="true">É</span>' in shown


@pytest.mark.django_db
def test_pages_need_no_company_yet(clerk):
    assert "Your company" in _frame_for(clerk)


@pytest.mark.django_db
def test_successes_are_toasts_and_troubles_stay_on_the_page(clerk):
    from django.contrib import messages

    request = RequestFactory().get("/settings/profile/")
    request.user, request.session = clerk, {}
    request._messages = FallbackStorage(request)
    messages.success(request, "It is <saved>.")
    messages.error(request, "It is refused.")
    shown = show("{% extends 'base.html' %}", request)
    toasts = shown[shown.index('id="toasts"') :]
    assert "It is &lt;saved&gt;." in toasts and "It is refused." not in toasts
    assert '<div class="alert alert-danger" role="alert">' in shown


def test_keys_with_another_name_in_french_are_translated():
    found = re.compile(r"<kbd>(Enter|Esc|Delete|Shift)</kbd>")
    assert [page.name for page in PAGES if found.search(page.read_text())] == []
