from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from invoices.deals.changes import changing
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing.forms.lines import TypedLine, bare, clean, from_rows, read
from invoices.models import Invoice, InvoiceEvent, Message
from tests.clock import as_typed, days_ago
from tests.confirm import confirm
from tests.factories import make_client, make_company, make_deal, make_draft, make_user

HTMX = {"HX-Request": "true"}


def edit_url(draft):
    return reverse("invoices:edit", args=[draft.pk])


def posted(draft, *lines, **fields):
    """The editor's form as a browser would send it, changed where a test says so."""
    draft.refresh_from_db()
    given = {
        "title": draft.title,
        "recipients": ", ".join(draft.recipients),
        "issue_date": "",
        "terms": f"{draft.terms_kind}:{draft.terms_days}",
        "due_date": "",
        "purchase_order": draft.purchase_order,
        "service_from": "",
        "service_until": "",
        "language": draft.language,
        "currency": draft.currency,
        "note": draft.note,
        "seen": draft.updated_at.isoformat(),
        "lines-TOTAL_FORMS": len(lines),
        "act": "save",
    }
    for n, line in enumerate(lines):
        whole = {"quantity": "1", "unit": "DAY", "discount": "", "vat": "S:20", **line}
        given |= {f"lines-{n}-{name}": value for name, value in whole.items()}
    return {**given, **fields}


LINE = {"description": "Advice", "unit_price": "800"}


# ─ Starting ─────────────────────────────────────────────────────────────────────────────────────
def test_a_new_invoice_begins_with_the_choice_of_a_client(clerk_client):
    answer = clerk_client.get(reverse("invoices:new"))
    assert answer["Location"] == reverse("invoices:client-choices")


def test_a_new_draft_is_made_by_the_button_and_once(clerk_client):
    make_company()
    client, key = make_client(name="Wattéo"), new_key()
    page = clerk_client.get(reverse("invoices:new"), {"client": client.pk})
    assert "New invoice for Wattéo" in page.text
    assert not Invoice.objects.exists()
    for _n in range(2):
        answer = clerk_client.post(reverse("invoices:new"), {"client": client.pk, "once": key})
    assert answer["Location"] == edit_url(Invoice.objects.get())


def test_a_new_invoice_offers_the_deals_and_drafts_that_wait(clerk_client):
    make_company()
    deal = make_deal(title="Waiting work")
    make_draft(client=deal.client, title="Begun work")
    text = clerk_client.get(reverse("invoices:new"), {"client": deal.client_id}).text
    assert "Waiting work" in text
    assert "Begun work" in text


@pytest.mark.parametrize("client", ["", "0", "abc", "9" * 30])
def test_a_client_that_is_none_makes_no_draft(clerk_client, client):
    answer = clerk_client.post(reverse("invoices:new"), {"client": client, "once": "k"})
    assert answer.status_code == 302
    assert not Invoice.objects.exists()


# ─ Saving ───────────────────────────────────────────────────────────────────────────────────────
def test_the_editor_saves_head_and_lines(clerk_client):
    draft, due = make_draft(), days_ago(-29)
    given = posted(
        draft,
        {"description": "Advice", "quantity": "2,5", "unit_price": "1 200.50", "discount": "10"},
        {"description": "Books", "unit": "C62", "unit_price": "14,20", "vat": "S:5.5"},
        title="Better title",
        due_date=as_typed(due),
        recipients="a@client.example; b@client.example",
    )
    answer = clerk_client.post(edit_url(draft), given)
    assert answer.status_code == 302
    draft.refresh_from_db()
    first, second = draft.lines.all()
    assert (first.quantity, first.unit_price) == (Decimal("2.5"), Decimal("1200.50"))
    assert first.net_minor == 2701_12
    assert second.vat_rate == Decimal("5.5")
    assert draft.title == "Better title"
    assert (draft.due_date, draft.due_date_typed) == (due, True)
    assert draft.recipients == ["a@client.example", "b@client.example"]


def test_with_htmx_the_saved_editor_comes_back_with_a_new_stamp(clerk_client):
    draft = make_draft()
    answer = clerk_client.post(edit_url(draft), posted(draft, LINE), headers=HTMX)
    draft.refresh_from_db()
    assert answer.status_code == 200
    assert draft.updated_at.isoformat() in answer.text
    assert "The draft is saved." in answer.text
    assert "<html" not in answer.text


def test_blank_lines_are_dropped(clerk_client):
    draft = make_draft()
    blank = {"description": " ", "unit_price": ""}
    clerk_client.post(edit_url(draft), posted(draft, blank, LINE, blank))
    assert draft.lines.get().description == "Advice"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"quantity": "abc"}, "“abc” is not a number."),
        ({"unit_price": "1.1234567"}, "At most 6 decimals here."),
        ({"unit_price": "999999999999999"}, "Unit price"),
        ({"discount": "120"}, "discount"),
        ({"discount": "some"}, "is no discount"),
        ({"discount": "0.001 EUR"}, "At most 2 decimals here."),
        ({"vat": "S:zz"}, "Choose a VAT rate."),
        ({"vat": "Q:0"}, "Choose a VAT category."),
        ({"vat": "S:0"}, "needs a rate above zero"),
        ({"description": "x" * 2001}, "At most 2000 characters."),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_nothing_is_lost(clerk_client, line, sentence):
    draft = make_draft()
    given = posted(draft, {**LINE, **line}, title="Typed title")
    answer = clerk_client.post(edit_url(draft), given, headers=HTMX)
    assert answer.status_code == 422
    assert sentence.lower() in answer.text.lower()
    assert "Typed title" in answer.text
    for value in line.values():
        assert value in answer.text or value in ("Q:0", "S:zz")
    draft.refresh_from_db()
    assert draft.title == "Work"
    assert draft.lines.get().description == "Service 1"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("due_date", "31/02/2026", "There is no day 31"),
        ("due_date", "soon", "“soon” is not a date"),
        ("issue_date", "1/1/1888", "out of range"),
        ("recipients", "nobody", "“nobody” is not an email address."),
        ("terms", "net:9999", "Select a valid choice"),
        ("currency", "XXZ", "Select a valid choice"),
        ("note", "n" * 2001, "at most 2000 characters"),
    ],
)
def test_a_wrong_field_of_the_head_says_why(clerk_client, field, value, sentence):
    draft = make_draft()
    answer = clerk_client.post(edit_url(draft), posted(draft, LINE, **{field: value}))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Advice" in answer.text
    assert "<html" in answer.text


def test_what_a_colleague_saved_meanwhile_is_not_overwritten_unasked(clerk_client):
    draft = make_draft()
    mine = posted(draft, LINE, title="Mine")
    Invoice.objects.filter(pk=draft.pk).update(
        title="Theirs", updated_at=timezone.now() + timedelta(seconds=2)
    )
    answer = clerk_client.post(edit_url(draft), mine, headers=HTMX)
    assert answer.status_code == 422
    assert "This draft was saved elsewhere in between." in answer.text
    assert 'value="Mine"' in answer.text
    assert "Save mine over it" in answer.text
    draft.refresh_from_db()
    assert draft.title == "Theirs"
    clerk_client.post(edit_url(draft), {**mine, "act": "overwrite"}, headers=HTMX)
    draft.refresh_from_db()
    assert draft.title == "Mine"


def test_a_draft_that_was_issued_meanwhile_leads_to_the_invoice(clerk_client, clerk):
    from invoices.invoicing.issuing import issue

    draft = make_draft()
    given = posted(draft, LINE)
    issue(invoice_id=draft.pk, by=clerk, on=timezone.localdate())
    answer = clerk_client.post(edit_url(draft), given, follow=True)
    assert "issued or discarded meanwhile" in answer.text
    assert draft.lines.get().description == "Service 1"


# ─ Without script ───────────────────────────────────────────────────────────────────────────────
def described(answer):
    import re

    return re.findall(r'name="lines-\w+-description"[^>]*>([^<]*)</textarea>', answer.text)


@pytest.mark.parametrize(
    ("act", "order"),
    [
        ("up-1", ["B", "A", ""]),
        ("down-0", ["B", "A", ""]),
        ("up-0", ["A", "B", ""]),
        ("down-1", ["A", "B", ""]),
        ("remove-0", ["B", ""]),
        ("remove-77", ["A", "B", ""]),
        ("add", ["A", "B", "", ""]),
    ],
)
def test_lines_move_go_and_come_by_buttons_without_saving(clerk_client, act, order):
    draft = make_draft()
    given = posted(
        draft,
        {"description": "A", "unit_price": "1"},
        {"description": "B", "unit_price": "2"},
        act=act,
    )
    answer = clerk_client.post(edit_url(draft), given)
    assert answer.status_code == 200
    # The last one is the template of a new line.
    assert described(answer) == order
    assert draft.lines.get().description == "Service 1"


def test_lines_are_taken_from_the_deal_and_kept_when_saved(clerk_client, clerk):
    make_company()
    deal = make_deal(lines=[(2, "450.00"), (1, "100.00")])
    draft = draft_from_deal(deal_id=deal.pk, by=clerk, on=date(2026, 11, 24))
    answer = clerk_client.post(edit_url(draft), posted(draft, LINE, act="deal"))
    assert described(answer) == ["Service 1", "Service 2", ""]
    assert draft.lines.count() == 2


def test_a_changed_deal_is_announced(clerk_client, clerk):
    make_company()
    deal = make_deal()
    draft = draft_from_deal(deal_id=deal.pk, by=clerk, on=date(2026, 11, 24))
    assert "The deal changed" not in clerk_client.get(edit_url(draft)).text
    with transaction.atomic(), changing([deal.pk], date(2026, 11, 24)):
        deal.lines.update(unit_price=7)
    assert "The deal changed after this draft was made." in clerk_client.get(edit_url(draft)).text


def test_four_hundred_lines_are_edited_in_a_bounded_number_of_queries(clerk_client):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    short = make_draft(lines=[(1, "10")])
    long = make_draft(lines=[(1, "10")] * 400)
    with CaptureQueriesContext(connection) as few:
        clerk_client.get(edit_url(short))
    with CaptureQueriesContext(connection) as many:
        clerk_client.get(edit_url(long))
    assert len(many) == len(few)
    lines = [{"description": f"Line {n}", "unit_price": "1"} for n in range(400)]
    assert clerk_client.post(edit_url(long), posted(long, *lines)).status_code == 302
    assert long.lines.count() == 400
    too_many = clerk_client.post(edit_url(long), posted(long, *lines, *lines[:150]))
    assert too_many.status_code == 422
    assert "More than 500 lines." in too_many.text


# ─ Live totals ──────────────────────────────────────────────────────────────────────────────────
def test_totals_follow_what_is_typed_and_nothing_is_saved(clerk_client):
    draft = make_draft()
    given = posted(draft, {**LINE, "quantity": "2"}, {"description": "B", "unit_price": "oops"})
    answer = clerk_client.post(reverse("invoices:totals", args=[draft.pk]), given, headers=HTMX)
    assert "€1,920.00" in answer.text
    assert '<span id="lines-0-net" hx-swap-oob="true">1,600.00</span>' in answer.text
    assert "One line cannot be read and is left out." in answer.text
    assert "not saved yet" in answer.text
    draft.refresh_from_db()
    assert draft.total_minor == 1200_00


def test_the_reasons_follow_what_is_typed(clerk_client):
    draft = make_draft(client=make_client(needs_purchase_order=True))
    url = reverse("invoices:totals", args=[draft.pk])
    reason = "This client asks for a purchase order"
    assert reason in clerk_client.post(url, posted(draft, LINE)).text
    assert reason not in clerk_client.post(url, posted(draft, LINE, purchase_order="BC-1")).text
    in_half_a_year = f"{timezone.localdate() + timedelta(days=180):%d/%m/%Y}"
    late = clerk_client.post(url, posted(draft, LINE, purchase_order="B", due_date=in_half_a_year))
    assert "The law allows 60" in late.text


# ─ Issuing ──────────────────────────────────────────────────────────────────────────────────────
def issue_url(draft):
    return reverse("invoices:issue", args=[draft.pk])


def test_issue_saves_first_and_then_asks(clerk_client):
    draft = make_draft()
    given = posted(draft, LINE, act="issue")
    answer = clerk_client.post(edit_url(draft), given, headers=HTMX)
    assert answer["HX-Retarget"] == "#dialog"
    year = timezone.localdate().year
    assert f"Issue F-{year}-0001?" in answer.text
    assert "€960.00" in answer.text
    assert 'id="editor" hx-swap-oob="true"' in answer.text
    assert draft.lines.get().description == "Advice"
    plain = clerk_client.post(edit_url(draft), posted(draft, LINE, act="issue"))
    assert plain["Location"] == issue_url(draft)
    assert f"Issue F-{year}-0001?" in clerk_client.get(issue_url(draft)).text


def test_reasons_lead_to_their_fields(clerk_client):
    draft = make_draft(client=make_client(needs_purchase_order=True, address_line1=""))
    text = clerk_client.get(issue_url(draft)).text
    assert "Not ready to issue yet" in text
    assert f'href="{edit_url(draft)}#id_purchase_order"' in text
    assert reverse("invoices:client-edit", args=[draft.client_id]) in text
    refused = confirm(clerk_client, issue_url(draft), {"once": new_key()}, headers=HTMX)
    assert refused.status_code == 422
    assert "Nothing was numbered or sent." in refused.text


def test_issuing_leads_to_the_invoice_and_a_double_click_issues_once(clerk_client):
    draft = make_draft()
    key = new_key()
    first = confirm(clerk_client, issue_url(draft), {"once": key, "issue": "1"}, headers=HTMX)
    again = confirm(clerk_client, issue_url(draft), {"once": key, "issue": "1"})
    url = reverse("invoices:detail", args=[draft.pk])
    assert first["HX-Redirect"] == url
    assert (again.status_code, again["Location"]) == (303, url)
    draft.refresh_from_db()
    assert draft.number
    assert draft.events.filter(kind=InvoiceEvent.Kind.ISSUED).count() == 1
    assert not Message.objects.exists()
    assert "is issued." in clerk_client.get(url).text


def test_two_people_issuing_at_once_make_one_number_and_a_sentence(clerk_client, admin_client):
    draft = make_draft()
    confirm(clerk_client, issue_url(draft), {"once": new_key()})
    second = confirm(admin_client, issue_url(draft), {"once": new_key()}, headers=HTMX)
    assert second.status_code == 422
    assert "is issued already, by Maëlle Kervadec" in second.text


def test_issue_and_send_queues_one_mail_to_whom_it_says(clerk_client):
    draft = make_draft()
    given = {"once": new_key(), "send": "1", "recipients": "cfo@client.example"}
    confirm(clerk_client, issue_url(draft), given)
    assert Message.objects.get().to == ["cfo@client.example"]


# ─ Preview, discard, client ─────────────────────────────────────────────────────────────────────
def test_the_preview_is_a_pdf_or_a_sentence(clerk_client):
    draft = make_draft()
    answer = clerk_client.get(reverse("invoices:preview", args=[draft.pk]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    from invoices.models import Company

    Company.objects.all().delete()
    refused = clerk_client.get(reverse("invoices:preview", args=[draft.pk]))
    assert refused.status_code == 422
    assert "Say who sells" in refused.text


def test_discarding_frees_the_deal(clerk_client, clerk):
    from invoices.models import Deal

    make_company()
    deal = make_deal()
    draft = draft_from_deal(deal_id=deal.pk, by=clerk, on=date(2026, 11, 24))
    url = reverse("invoices:void", args=[draft.pk])
    assert "Discard this draft?" in clerk_client.get(url, headers=HTMX).text
    answer = confirm(clerk_client, url, {"once": new_key(), "reason": "Twice"}, headers=HTMX)
    assert answer["HX-Redirect"] == "/deals/"
    assert Deal.objects.to_bill().get() == deal
    refused = confirm(clerk_client, url, {"once": new_key()})
    assert refused.status_code == 422


def test_another_client_brings_its_terms_and_keeps_the_lines(clerk_client):
    draft = make_draft()
    other = make_client(name="Other client", language="en", terms_days=15)
    url = reverse("invoices:draft-client", args=[draft.pk])
    saved = clerk_client.post(edit_url(draft), posted(draft, LINE, act="client"))
    assert saved["Location"] == url
    assert "Other client" in clerk_client.get(url, {"q": "other"}).text
    clerk_client.post(url, {"client": other.pk})
    draft.refresh_from_db()
    assert (draft.client, draft.language, draft.terms_days) == (other, "en", 15)
    assert draft.lines.get().description == "Advice"
    assert clerk_client.post(url, {"client": "x"}).status_code == 422


# ─ Who may ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["edit", "totals", "issue", "void", "draft-client", "send"])
@pytest.mark.parametrize("role", [User.Role.MANAGER, User.Role.SALES])
def test_only_finance_touches_drafts(db, client, name, role):
    draft = make_draft()
    client.force_login(
        make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.post(reverse(f"invoices:{name}", args=[draft.pk])).status_code == 403


def test_hostile_words_are_shown_as_text(clerk_client):
    evil = "</textarea><script>alert(1)</script>{{ 1 }}"
    draft = make_draft(client=make_client(name=evil), title=evil, note=evil)
    draft.lines.update(description=evil)
    text = clerk_client.get(edit_url(draft)).text
    assert "<script>alert" not in text
    assert "{{ 1 }}" in text
    assert "<script>alert" not in clerk_client.get(issue_url(draft)).text


# ─ Lines as text ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "percent", "amount"),
    [
        ("", 0, 0),
        ("10", 10, 0),
        ("12,5 %", Decimal("12.5"), 0),
        ("50 EUR", 0, 50),
        ("€50.50", 0, Decimal("50.5")),
        ("1 000,00 eur", 0, 1000),
    ],
)
def test_a_discount_is_read_as_people_write_it(text, percent, amount):
    line = TypedLine(description="A", unit_price="100", discount=text)
    (values,) = clean([line], "EUR")
    assert not line.errors
    assert (values["discount_percent"], values["discount_amount"]) == (percent, amount)


def test_lines_survive_the_way_into_the_form_and_back(db):
    draft = make_draft(lines=[("2.5", "99.125", "5.5"), ("-1", "10")])
    draft.lines.filter(position=1).update(discount_amount=Decimal("12.30"))
    rows = list(draft.lines.all())
    back = clean(from_rows(rows, "EUR"), "EUR")
    for row, values in zip(rows, back, strict=True):
        for name, value in values.items():
            assert getattr(row, name) == value, name


@pytest.mark.parametrize("total", ["", "-1", "x", "99999999", "3"])
def test_a_mangled_form_has_only_the_lines_that_are_there(total):
    given = {"lines-TOTAL_FORMS": total, "lines-0-description": "A"}
    assert len(read(given, TypedLine)) == (1 if total == "3" else 0)


def test_amounts_of_the_grid_bear_no_currency():
    assert bare(-123456, "EUR") == "−1,234.56"
    assert bare(1234, "JPY") == "1,234"
