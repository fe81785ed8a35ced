"""Settings: company, invoicing, client types, rates, people, profile."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from PIL import Image

from billing_portal.accounts.examples import EXAMPLES, make_examples
from billing_portal.accounts.models import User
from billing_portal.accounts.people import PersonRefused, change_person, set_password_link
from billing_portal.idempotency import new_key
from billing_portal.launch import LOGINS
from invoices.models import ClientType, Company
from tests.confirm import confirm
from tests.factories import make_client, make_client_type, make_company, make_user

pytestmark = pytest.mark.django_db

DETAILS = {
    "name": "Kerlann Conseil",
    "legal_form": "SAS",
    "siren": "732 829 320",
    "siret": "732 829 320 00074",
    "vat_id": "FR44 732829320",
    "address_line1": "14, quai de la Fosse",
    "postal_code": "44000",
    "city": "Nantes",
    "country": "FR",
    "iban": "FR76 3000 6000 0112 3456 7890 189",
    "bic": "AGRIFRPP",
}
INVOICING = {
    "currency": "EUR",
    "language": "fr",
    "terms_kind": "net",
    "terms_days": "30",
    "vat_regime": "normal",
    "usual_nature": "services",
    "vat_rate": "20",
    "indemnity": "40",
    "discount_terms_fr": "Pas d’escompte.",
    "discount_terms_en": "No discount.",
}


@pytest.fixture(autouse=True)
def with_the_key_of_its_page(monkeypatch):
    """Every form of a page carries a key of its own."""
    post = Browser.post

    def keyed(self, path, data=None, **options):
        return post(self, path, {"once": new_key(), **(data or {})}, **options)

    monkeypatch.setattr(Browser, "post", keyed)


def picture(mode="RGBA", size=(300, 100), form="PNG"):
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 0) if mode == "RGBA" else (200, 30, 30)).save(out, form)
    out.seek(0)
    out.name = "logo.png"
    return out


# ─ Company ──────────────────────────────────────────────────────────────────────────────────────
def test_a_fresh_database_leads_to_the_company_page(admin_client):
    page = admin_client.get("/settings/", follow=True)
    assert page.status_code == 200
    assert "Start here." in page.text


def test_the_company_is_saved_with_identifiers_without_spaces(admin_client):
    answer = admin_client.post(reverse("company:details"), DETAILS)
    assert answer.status_code == 303
    company = Company.objects.get(pk=1)
    assert (company.siren, company.iban) == ("732829320", "FR7630006000011234567890189")
    assert company.vat_id == "FR44732829320"


@pytest.mark.parametrize("website", ["kerlann.example", "https://www.kerlann.example/fr?a=1"])
def test_particulars_are_kept_as_people_write_them(admin_client, website):
    entry = {"phone": "+33 (0)2 40.00-00/01", "website": website, "postal_code": "44 000"}
    assert admin_client.post(reverse("company:details"), {**DETAILS, **entry}).status_code == 303
    company = Company.objects.get(pk=1)
    assert (company.phone, company.website) == (entry["phone"], website)
    assert company.postal_code == "44000"


def test_a_new_company_begins_with_the_usual_client_types(admin_client):
    admin_client.post(reverse("company:details"), DETAILS)
    marks = ["large", "sme", "startup", "public", "nonprofit", "intl"]
    assert list(ClientType.objects.values_list("mark", flat=True)) == marks
    ClientType.objects.filter(mark="intl").delete()
    admin_client.post(reverse("company:details"), DETAILS)
    assert ClientType.objects.count() == 5


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("siren", "732829321", "is no SIREN"),
        ("siret", "73282932000075", "is no SIRET"),
        ("siret", "55210055400013", "must begin with the SIREN"),
        ("vat_id", "FR96552100554", "ends with the SIREN"),
        ("vat_id", "DE12345", "is no VAT id of DE"),
        ("iban", "FR7630006000011234567890188", "is no IBAN"),
        ("bic", "AGRI", "is no BIC"),
        ("name", "", "required"),
        ("website", "javascript:alert(1)", "is no address of a website"),
        ("website", "ftp://kerlann.example", "is no address of a website"),
        ("website", "kerlann", "is no address of a website"),
        ("phone", "abc", "is no telephone number"),
        ("phone", "+33", "is no telephone number"),
        ("postal_code", "4400", "is no French postal code"),
    ],
)
def test_a_wrong_identifier_gets_a_sentence_and_nothing_is_saved(
    admin_client, field, value, sentence
):
    answer = admin_client.post(reverse("company:details"), {**DETAILS, field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Company.objects.exists()


def test_a_logo_is_written_again_as_an_opaque_png_of_bounded_size(admin_client):
    make_company()
    admin_client.post(reverse("company:details"), {**DETAILS, "logo": picture(size=(4000, 1000))})
    kept = Image.open(io.BytesIO(bytes(Company.objects.get(pk=1).logo_png)))
    assert (kept.format, kept.mode) == ("PNG", "RGB")
    assert kept.width <= 1200 and kept.height <= 480
    assert kept.getpixel((0, 0)) == (255, 255, 255)
    shown = admin_client.get(reverse("company:logo"))
    assert shown["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        (b"GIF89a not really", "no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "no picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawings are not taken"),
        (b"x" * (2 * 2**20 + 1), "larger than 2 MB"),
    ],
)
def test_a_bad_picture_gets_a_sentence(admin_client, upload, sentence):
    make_company()
    file = io.BytesIO(upload)
    file.name = "logo.png"
    answer = admin_client.post(reverse("company:details"), {**DETAILS, "logo": file})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Company.objects.get(pk=1).logo_png


def test_a_picture_of_enormous_dimensions_is_refused_unread(admin_client):
    make_company()
    out = io.BytesIO()
    Image.new("1", (30_000, 8_000)).save(out, "PNG")
    out.seek(0)
    out.name = "bomb.png"
    answer = admin_client.post(reverse("company:details"), {**DETAILS, "logo": out})
    assert answer.status_code == 422
    assert not Company.objects.get(pk=1).logo_png


def test_the_logo_can_be_removed(admin_client):
    make_company(logo_png=picture().read())
    admin_client.post(reverse("company:details"), {**DETAILS, "remove_logo": "on"})
    assert not Company.objects.get(pk=1).logo_png


# ─ Invoicing ────────────────────────────────────────────────────────────────────────────────────
def test_invoicing_is_saved(admin_client):
    make_company()
    answer = admin_client.post(
        reverse("company:invoicing"),
        {**INVOICING, "indemnity": "45,50", "billing_starts_on": "1/9/2026"},
    )
    assert answer.status_code == 302
    company = Company.objects.get(pk=1)
    assert company.indemnity_minor == 4550
    assert company.billing_starts_on == date(2026, 9, 1)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("terms_days", "400", "At most 365"),
        ("vat_rate", "120", "At most 100"),
        ("indemnity", "-1", "At least 0"),
        ("indemnity", "0", "at 40 euros (Code de commerce, D441-5)"),
        ("billing_starts_on", "1/9/2099", "more than a year away"),
        ("billing_starts_on", "31/11/2026", "no day 31"),
        ("billing_starts_on", "1/1/1850", "out of range"),
    ],
)
def test_wrong_invoicing_gets_a_sentence(admin_client, field, value, sentence):
    make_company()
    answer = admin_client.post(reverse("company:invoicing"), {**INVOICING, field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert Company.objects.get(pk=1).terms_days == 30


def test_terms_beyond_the_law_are_saved_with_a_warning(admin_client):
    make_company()
    page = admin_client.post(
        reverse("company:invoicing"), {**INVOICING, "terms_days": "75"}, follow=True
    )
    assert "longer than French law allows" in page.text


# ─ Client types ─────────────────────────────────────────────────────────────────────────────────
def test_a_client_type_is_added_renamed_and_marked(admin_client):
    admin_client.post(reverse("company:client_types"), {"name": "SME", "mark": "sme"})
    row = ClientType.objects.get(name="SME")
    admin_client.post(
        reverse("company:client_type", args=[row.pk]), {"name": "Small firms", "mark": "none"}
    )
    row.refresh_from_db()
    assert (row.name, row.mark) == ("Small firms", "none")


def test_two_client_types_cannot_share_a_name_in_any_case_or_a_mark(admin_client):
    make_client_type("SME", mark="sme")
    answer = admin_client.post(reverse("company:client_types"), {"name": "sme", "mark": "sme"})
    assert answer.status_code == 422
    assert "There is a client type sme already." in answer.text
    assert ClientType.objects.count() == 1


def test_client_types_change_places(admin_client):
    first = make_client_type("A", position=1)
    make_client_type("B", position=2)
    admin_client.post(reverse("company:client_type_move", args=[first.pk]), {"to": "down"})
    assert [each.name for each in ClientType.objects.all()] == ["B", "A"]
    admin_client.post(reverse("company:client_type_move", args=[first.pk]), {"to": "up"})
    assert [each.name for each in ClientType.objects.all()] == ["A", "B"]


def test_a_client_type_in_use_is_merged_not_deleted(admin_client):
    used = make_client_type("Old")
    other = make_client_type("New")
    client = make_client(client_type=used)
    shown = reverse("company:client_type", args=[used.pk])
    url = reverse("company:client_type_delete", args=[used.pk])
    page = confirm(admin_client, url, at=shown, follow=True)
    assert "has 1 client" in page.text
    url = reverse("company:client_type_merge", args=[used.pk])
    confirm(admin_client, url, {"into": other.pk}, at=shown)
    client.refresh_from_db()
    assert client.client_type == other
    assert not ClientType.objects.filter(pk=used.pk).exists()


def test_a_client_type_is_not_merged_into_itself(admin_client):
    used = make_client_type("Old")
    make_client(client_type=used)
    answer = admin_client.post(
        reverse("company:client_type_merge", args=[used.pk]), {"into": used.pk}
    )
    assert answer.status_code == 422
    assert ClientType.objects.filter(pk=used.pk).exists()


def test_an_unused_client_type_is_deleted(admin_client):
    row = make_client_type("Unused")
    shown = reverse("company:client_type", args=[row.pk])
    confirm(admin_client, reverse("company:client_type_delete", args=[row.pk]), at=shown)
    assert not ClientType.objects.exists()


# ─ People ───────────────────────────────────────────────────────────────────────────────────────
INVITATION = {
    "email": "New.Person@kerlann.example",
    "name": "New Person",
    "role": "manager",
    "language": "fr",
}


def test_an_invited_person_chooses_a_password_by_the_mailed_link_and_signs_in(admin_client, client):
    admin_client.post(reverse("accounts:invite"), INVITATION)
    user = User.objects.get(email="new.person@kerlann.example")
    assert user.role == User.Role.MANAGER and not user.has_usable_password()
    (sent,) = mail.outbox
    assert sent.to == ["new.person@kerlann.example"]
    link = next(word for word in sent.body.split() if "/password/reset/key/" in word)
    path = link.split("127.0.0.1:8000")[1]
    page = client.get(path, follow=True)
    given = dict.fromkeys(("password1", "password2"), "blue-heron-41")
    answer = client.post(page.redirect_chain[-1][0], given, follow=True)
    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.check_password("blue-heron-41")


def test_somebody_who_works_here_is_not_invited_twice(admin_client):
    make_user(email="new.person@kerlann.example")
    answer = admin_client.post(reverse("accounts:invite"), INVITATION)
    assert answer.status_code == 422
    assert "works here already" in answer.text
    assert mail.outbox == []


def test_an_owner_whom_the_crm_named_is_taken_over_by_the_invitation(admin_client):
    known = make_user(email="new.person@kerlann.example", password=None, role="sales")
    admin_client.post(reverse("accounts:invite"), INVITATION)
    known.refresh_from_db()
    assert known.role == User.Role.MANAGER
    assert len(mail.outbox) == 1


def test_a_silent_mail_server_is_told_and_the_link_is_shown(admin_client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = admin_client.post(reverse("accounts:invite"), INVITATION, follow=True)
    assert "pass the link on yourself" in page.text
    assert "/accounts/password/reset/key/" in page.text


def test_a_person_changes_role_and_loses_access(admin_client):
    user = make_user(role="finance")
    url = reverse("accounts:person", args=[user.pk])
    admin_client.post(url, {"name": "Renamed", "role": "sales", "language": "fr"})
    user.refresh_from_db()
    assert (user.name, user.role, user.is_active) == ("Renamed", "sales", False)


def test_access_stands_under_the_role_where_its_column_has_no_room(admin_client):
    make_user(email="gone@example.com", is_active=False)
    page = admin_client.get(reverse("accounts:people")).text
    for state in ("Closed", "Open"):
        assert f'<span class="sub d-md-none">Access: {state}</span>' in page


def test_the_last_administrator_stays(admin_client):
    me = User.objects.get(role="administrator")
    # Invited, but without a password nobody signs in with it.
    make_user(role="administrator", password=None)
    answer = admin_client.post(
        reverse("accounts:person", args=[me.pk]),
        {"name": me.name, "role": "finance", "language": "fr", "is_active": "on"},
    )
    assert answer.status_code == 422
    assert "is the last administrator" in answer.text
    with pytest.raises(PersonRefused):
        change_person(
            user_id=me.pk, name="x", role="administrator", language="fr", is_active=False, by=me
        )


def test_with_a_second_administrator_the_first_may_go(admin_client):
    me = User.objects.get(role="administrator")
    make_user(role="administrator")
    admin_client.post(
        reverse("accounts:person", args=[me.pk]),
        {"name": me.name, "role": "finance", "language": "fr", "is_active": "on"},
    )
    me.refresh_from_db()
    assert me.role == "finance"


def test_somebody_whose_access_is_closed_cannot_sign_in(client):
    make_user(email="gone@kerlann.example", is_active=False)
    answer = client.post(
        reverse("account_login"), {"login": "gone@kerlann.example", "password": "correct horse"}
    )
    assert "_auth_user_id" not in client.session
    assert answer.status_code in (200, 302)


def test_the_link_is_made_for_its_person(clerk):
    assert set_password_link(clerk).startswith("http://127.0.0.1:8000/accounts/password/reset/key/")


# ─ Profile ──────────────────────────────────────────────────────────────────────────────────────
def test_everybody_changes_their_own_profile(sales_client):
    answer = sales_client.post(
        reverse("accounts:profile"), {"name": "Me", "language": "fr"}, follow=True
    )
    user = User.objects.get(role="sales")
    assert (user.name, user.language, user.shortcuts) == ("Me", "fr", False)
    assert 'lang="fr"' in answer.text
    assert 'data-shortcuts="off"' in answer.text


def test_the_language_switch_comes_back_to_the_page(clerk_client, clerk):
    answer = clerk_client.post(
        reverse("accounts:language"), {"language": "fr", "next": "/settings/profile/"}
    )
    assert answer["Location"] == "/settings/profile/"
    clerk.refresh_from_db()
    assert clerk.language == "fr"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_the_language_switch_leads_nowhere_else(clerk_client, back):
    answer = clerk_client.post(reverse("accounts:language"), {"language": "xx", "next": back})
    assert answer["Location"] == reverse("accounts:profile")


def test_the_demo_lists_its_own_logins_and_nobody_else(client, clerk, settings):
    make_examples("kerlann-demo")
    settings.DEMO = True
    shown = client.get(reverse("account_login")).text
    assert all(email in shown for email in EXAMPLES)
    assert clerk.email not in shown
    settings.DEMO = False
    shown = client.get(reverse("account_login")).text
    assert not any(email in shown for email in EXAMPLES)


def test_the_start_of_the_demo_prints_the_logins_that_there_are():
    assert [email for email, _words in LOGINS] == list(EXAMPLES)


def test_sign_up_is_closed(client):
    page = client.post(
        reverse("account_signup"), {"email": "x@y.example", "password1": "blue-heron-41"}
    )
    assert "By invitation only" in page.text
    assert not User.objects.exists()


@pytest.mark.parametrize("size", [2_000, 1_200_000])
def test_a_file_beyond_the_bound_of_uploads_is_told_and_nothing_is_saved(
    admin_client, settings, size
):
    settings.MAX_UPLOAD_BYTES = 1_000
    make_company(name="Before")
    file = io.BytesIO(b"x" * size)
    file.name = "logo.png"
    answer = admin_client.post(reverse("company:details"), {**DETAILS, "logo": file})
    assert answer.status_code in (413, 422)
    assert "too large" in answer.text
    assert Company.objects.get(pk=1).name == "Before"


def test_a_forgotten_password_is_mailed_to_those_who_work_here_and_nobody_else(client):
    user = make_user(email="maelle@kerlann.example")
    url = reverse("account_reset_password")
    for email in ("maelle@kerlann.example", "stranger@elsewhere.example"):
        page = client.post(url, {"email": email}, follow=True)
        assert "Look in your inbox" in page.text
    (sent,) = mail.outbox
    assert sent.to == [user.email]
    assert sent.subject == "Choose a new password"


def test_the_link_to_a_new_password_leads_to_the_portal_whatever_the_request_says(client, settings):
    settings.ALLOWED_HOSTS, settings.BASE_URL = ["*"], "https://billing.example.com"
    make_user(email="maelle@kerlann.example")
    asked = {"email": "maelle@kerlann.example"}
    client.post(reverse("account_reset_password"), asked, headers={"host": "evil.example:6666"})
    (sent,) = mail.outbox
    assert "evil.example" not in sent.body
    (link,) = re.findall(r"https://billing\.example\.com(/\S+)", sent.body)
    page = client.get(link, follow=True)
    assert page.status_code == 200
    assert "password1" in page.text


def test_a_silent_mail_server_is_told_to_whoever_forgot_their_password(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    make_user(email="maelle@kerlann.example")
    page = client.post(reverse("account_reset_password"), {"email": "maelle@kerlann.example"})
    assert page.status_code == 503
    assert "The mail server does not answer" in page.text


def test_a_wrong_password_gets_a_sentence_and_many_get_a_pause(client, settings):
    from django.core.cache import cache

    cache.clear()
    make_user(email="maelle@kerlann.example")
    entry = {"login": "maelle@kerlann.example", "password": "wrong"}
    answers = [client.post(reverse("account_login"), entry) for _attempt in range(12)]
    assert "not correct" in answers[0].text
    assert "Too many" in answers[-1].text
    cache.clear()


def test_the_admin_site_has_no_sign_in_of_its_own(client, clerk_client, admin_client):
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")
    assert clerk_client.get("/admin/").status_code in (302, 403)
