"""The page that brings history in: preview, click, progress, result."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from billing_portal.idempotency import new_key
from invoices.history import imports
from invoices.models import Client, HistoryComplaint, HistoryImport, Invoice, Payment
from invoices.tasks import sweep_history_imports
from tests.confirm import confirm, token_on
from tests.factories import make_client, make_user
from tests.invoices.history.files import CLIENT, INVOICE, PAYMENT, as_csv, changed

pytestmark = pytest.mark.django_db


def upload(browser, *, clients=None, invoices=None, payments=None, **extra):
    given = {"clients": clients, "invoices": invoices, "payments": payments}
    files = {
        kind: SimpleUploadedFile(
            f"{kind}.csv", rows if isinstance(rows, bytes) else as_csv(kind, rows)
        )
        for kind, rows in given.items()
        if rows is not None
    }
    return browser.post(reverse("invoices:import_history"), files, **extra)


def all_files(**fields):
    return {"clients": [CLIENT], "invoices": [changed(INVOICE, **fields)], "payments": [PAYMENT]}


def bring_in(browser, url):
    return confirm(browser, f"{url}bring-in/", at=url)


def test_the_files_are_looked_at_first_and_brought_in_by_a_click(clerk_client):
    assert clerk_client.get(reverse("invoices:import_history")).status_code == 200
    answer = upload(clerk_client, **all_files())
    assert answer.status_code == 303
    page = clerk_client.get(answer["Location"]).text
    assert "This is what would come in" in page and "Bring 3 rows in" in page
    assert "OLD-1" in page and "€120.00" in page and "SME" in page
    assert not Invoice.objects.exists()
    done = bring_in(clerk_client, answer["Location"])
    assert done.status_code == 303
    assert "The history is in" in clerk_client.get(done["Location"]).text
    assert Invoice.objects.get().status == "settled"
    kept = HistoryImport.objects.get()
    assert kept.state == "done"
    assert not (kept.clients_file or kept.invoices_file or kept.payments_file)
    page = clerk_client.get(reverse("invoices:import_history")).text
    assert "Earlier imports" in page and "1 client, 1 invoice, 1 payment" in page


def test_a_double_click_brings_in_once(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    given = {"once": new_key(), "confirmed": token_on(clerk_client.get(url))}
    for _ in range(2):
        answer = clerk_client.post(f"{url}bring-in/", given)
        assert (answer.status_code, answer["Location"]) == (303, url)
    # Nor does a second form of the same preview.
    assert clerk_client.post(f"{url}bring-in/", given | {"once": new_key()}).status_code == 422
    assert Payment.objects.count() == Invoice.objects.count() == 1


def test_refused_rows_are_listed_with_file_line_and_reason_and_cannot_be_brought_in(clerk_client):
    url = upload(clerk_client, **all_files(due_on="soon", net="1"))["Location"]
    page = clerk_client.get(url).text
    assert "There are 2 reasons against these files" in page
    assert "invoices.csv, line 2" in page and "“soon” is not a date" in page
    assert "Choose corrected files" in page and "bring-in/" not in page
    clerk_client.post(f"{url}bring-in/", {"once": "k"})
    assert not Client.objects.exists()
    answer = clerk_client.get(f"{url}refused.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "File,Line,Column,Reason"
    assert text.splitlines()[1].startswith("invoices.csv,2,due_on,")


def test_files_that_are_in_already_offer_nothing_to_click(clerk_client):
    bring_in(clerk_client, upload(clerk_client, **all_files())["Location"])
    page = clerk_client.get(upload(clerk_client, **all_files())["Location"]).text
    assert "All of it is here already" in page and "bring-in/" not in page


def test_what_changed_between_preview_and_click_is_looked_at_again(clerk_client):
    url = upload(clerk_client, clients=[CLIENT])["Location"]
    make_client(name="Atelier Brume")
    make_client(name="Atelier Brume")
    bring_in(clerk_client, url)
    page = clerk_client.get(url).text
    assert "Several clients here are called" in page
    assert HistoryImport.objects.get().state == "refused"


def test_no_file_at_all_is_answered_in_place(clerk_client):
    answer = upload(clerk_client)
    assert answer.status_code == 422
    assert "Choose at least one file." in answer.text


def test_a_latin_1_file_and_an_empty_one_are_sentences_on_the_page(clerk_client):
    bad = as_csv("clients", [changed(CLIENT, name="Société")]).decode().encode("latin-1")
    url = upload(clerk_client, clients=bad, invoices=b"")["Location"]
    page = clerk_client.get(url).text
    assert "is not UTF-8" in page and "invoices.csv is empty" in page


def test_files_larger_than_a_page_takes_are_refused_while_they_arrive(clerk, settings):
    settings.MAX_UPLOAD_BYTES = 50_000
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = browser.get(reverse("invoices:import_history")).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    for size in (60_000, 3 * 2**20):
        data = {
            "csrfmiddlewaretoken": token,
            "clients": SimpleUploadedFile("clients.csv", b"x" * size),
        }
        answer = browser.post(reverse("invoices:import_history"), data)
        assert answer.status_code == 422, size
        assert "larger than" in answer.text
    assert not HistoryImport.objects.exists()


def test_markup_and_template_code_in_a_file_stay_text(clerk_client):
    evil = "<script>alert(1)</script>{{ 7|add:7 }}{% now 'Y' %}"
    url = upload(clerk_client, clients=[changed(CLIENT, name=evil, country="??")])["Location"]
    page = clerk_client.get(url).text
    assert "<script>alert" not in page
    url = upload(
        clerk_client, clients=[changed(CLIENT, name=evil)], invoices=[changed(INVOICE, client=evil)]
    )["Location"]
    page = clerk_client.get(url).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}" in page


def test_a_large_import_is_left_to_the_worker_and_shows_how_far_it_is(clerk_client, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE", 2)
    url = upload(clerk_client, **all_files())["Location"]
    bring_in(clerk_client, url)
    kept = HistoryImport.objects.get()
    assert kept.state == "queued" and OrmQ.objects.count() == 1
    assert not Invoice.objects.exists()
    page = clerk_client.get(url).text
    assert "0 of 3 rows, waiting for the worker" in page
    assert f'hx-get="{url}progress/"' in page and "Look again" in page
    imports._board().set(imports._key(kept.pk), (2, 8, "writing", 0.0), 60)
    answer = clerk_client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert "2 of 8 rows written" in answer.text and "<html" not in answer.text
    # The worker, twice: a task that is delivered again does nothing.
    for _ in range(2):
        imports.run(kept.pk)
    assert Invoice.objects.count() == Payment.objects.count() == 1
    answer = clerk_client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == url
    assert "The history is in" in clerk_client.get(url).text


def test_a_worker_that_dies_half_way_leaves_nothing_and_begins_anew(clerk, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    sources = {"clients": ("c.csv", as_csv("clients", [CLIENT]))}
    kept = imports.keep(sources=sources, by=clerk, on=date(2026, 11, 24))
    imports.start(import_id=kept.pk, by=clerk, on=date(2026, 11, 24))

    class Killed(BaseException):
        pass

    class Board:
        def set(self, *_args):
            raise Killed

        def delete(self, _key):
            return None

    with monkeypatch.context() as patch:
        patch.setattr(imports, "_board", Board)
        with pytest.raises(Killed):
            imports.run(kept.pk)
    kept.refresh_from_db()
    assert kept.state == "queued" and not Client.objects.exists()
    imports.run(kept.pk)
    assert Client.objects.count() == 1


def test_what_waits_although_no_worker_has_it_is_taken_up(clerk, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    sources = {"clients": ("c.csv", as_csv("clients", [CLIENT]))}
    kept = imports.keep(sources=sources, by=clerk, on=date(2026, 11, 24))
    imports.start(import_id=kept.pk, by=clerk, on=date(2026, 11, 24))
    OrmQ.objects.all().delete()
    assert sweep_history_imports() == 0
    HistoryImport.objects.update(asked_at=timezone.now() - timedelta(minutes=4))
    assert sweep_history_imports() == 1
    assert Client.objects.count() == 1
    assert sweep_history_imports() == 0


def test_a_preview_can_be_thrown_away_and_old_ones_go_by_themselves(clerk, clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    answer = confirm(clerk_client, f"{url}discard/", at=url)
    assert answer["Location"] == reverse("invoices:import_history")
    assert not HistoryImport.objects.exists()
    upload(clerk_client, **all_files())
    HistoryImport.objects.update(created_at=timezone.now() - timedelta(days=3))
    upload(clerk_client, **all_files())
    assert HistoryImport.objects.count() == 1


def test_files_are_shown_to_the_person_who_brought_them_only(clerk_client, admin_client):
    url = upload(clerk_client, **all_files())["Location"]
    for path in (url, f"{url}progress/", f"{url}refused.csv"):
        assert admin_client.get(path).status_code == 404
    assert admin_client.post(f"{url}bring-in/").status_code == 404
    assert confirm(admin_client, f"{url}discard/", at=url).status_code == 422
    assert HistoryImport.objects.count() == 1


def test_a_preview_in_two_tabs_is_brought_in_or_thrown_away_but_not_both(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    token = token_on(clerk_client.get(url))
    assert bring_in(clerk_client, url).status_code == 303
    for verb in ("bring-in/", "discard/"):
        late = clerk_client.post(f"{url}{verb}", {"once": new_key(), "confirmed": token})
        assert late.status_code == 422
        assert "look again" in late.text
    assert HistoryImport.objects.get().state == "done"
    assert Invoice.objects.count() == 1


def test_a_double_click_throws_one_preview_away_and_says_so(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    given = {"once": new_key(), "confirmed": token_on(clerk_client.get(url))}
    assert clerk_client.post(f"{url}discard/", given).status_code == 303
    again = clerk_client.post(f"{url}discard/", given, follow=True)
    assert "already done a moment ago" in again.text
    assert not HistoryImport.objects.exists()


def test_books_that_moved_since_the_preview_are_shown_before_anything_comes_in(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    other = upload(clerk_client, clients=[CLIENT])["Location"]
    assert bring_in(clerk_client, other).status_code == 303
    # The client of the files is here now: two rows would come in, not the three that were shown.
    shown = clerk_client.get(bring_in(clerk_client, url)["Location"]).text
    assert "The books changed since these files were looked at" in shown
    assert "Bring 2 rows in" in shown
    assert not Invoice.objects.exists()
    assert bring_in(clerk_client, url).status_code == 303
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("role", ["manager", "sales"])
def test_only_finance_and_administrators_bring_history_in(role):
    browser = Browser()
    browser.force_login(
        make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    url = reverse("invoices:import_history")
    assert browser.get(url).status_code == 403
    assert upload(browser, clients=[CLIENT]).status_code == 403
    for verb in ("", "progress/", "refused.csv"):
        assert browser.get(f"{url}1/{verb}").status_code == 403
    for verb in ("bring-in/", "discard/"):
        assert browser.post(f"{url}1/{verb}").status_code == 403


def test_the_page_asks_as_much_for_twenty_earlier_imports_as_for_one(
    clerk, clerk_client, django_assert_max_num_queries
):
    bring_in(clerk_client, upload(clerk_client, clients=[CLIENT])["Location"])
    HistoryImport.objects.bulk_create(
        HistoryImport(created_by=clerk, state="refused", report={}) for _ in range(19)
    )
    with django_assert_max_num_queries(12):
        clerk_client.get(reverse("invoices:import_history"))


def test_the_page_speaks_french_to_those_who_do(clerk, clerk_client):
    clerk.language = "fr"
    clerk.save()
    assert clerk_client.get(reverse("invoices:import_history")).status_code == 200
    url = upload(clerk_client, **all_files())["Location"]
    assert "120,00\u00a0€" in clerk_client.get(url).text


def plain(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_what_is_wrong_is_said_in_the_language_of_whoever_reads_it(clerk, clerk_client):
    """Looked at in English, read in French: what is kept is a code and values."""
    bad = all_files(due_on="soon", net="1") | {"payments": [changed(PAYMENT, amount="1e5")]}
    url = upload(clerk_client, **bad)["Location"]
    assert "“soon” is not a date like" in clerk_client.get(url).text
    clerk.language = "fr"
    clerk.save()
    page = plain(clerk_client.get(url).text)
    assert "« soon » n’est pas une date comme" in page
    assert "« 1e5 » est une notation abrégée" in page
    assert "Le HT 1 et la TVA 20.00 ne font pas le total 120.00" in page
    csv = plain(b"".join(clerk_client.get(f"{url}refused.csv").streaming_content).decode())
    assert csv.splitlines()[0] == "\ufeffFichier;Ligne;Colonne;Raison"
    assert csv.splitlines()[1].startswith("invoices.csv;2;due_on;« soon » n’est pas une date")
    assert "is not" not in csv


def test_what_is_good_to_know_is_said_in_the_language_of_whoever_reads_it(clerk, clerk_client):
    url = upload(clerk_client, clients=[changed(CLIENT, payment_terms_days="90")])["Location"]
    assert "1 client has payment terms above the legal maximum" in clerk_client.get(url).text
    clerk.language = "fr"
    clerk.save()
    assert "1 client a des conditions de paiement au-delà" in clerk_client.get(url).text


def test_of_600_complaints_the_page_says_how_many_more_and_the_file_has_all(clerk_client):
    rows = [changed(INVOICE, number=f"N{n}", net="1") for n in range(1_234)]
    url = upload(clerk_client, clients=[CLIENT], invoices=rows)["Location"]
    page = clerk_client.get(url).text
    assert "There are 1,234 reasons against these files" in page
    assert page.count("do not make the total") == 100
    assert "and 1,134 more: the CSV has all of them" in page
    content = b"".join(clerk_client.get(f"{url}refused.csv").streaming_content).decode()
    assert content.count("do not make the total") == 1_234
    assert content.splitlines()[-1].startswith("invoices.csv,1235,total,")


def test_complaints_go_with_the_preview_they_belong_to(clerk_client):
    upload(clerk_client, **all_files(net="1"))
    assert HistoryComplaint.objects.count() == 1
    HistoryImport.objects.update(created_at=timezone.now() - timedelta(days=3))
    upload(clerk_client, clients=[CLIENT])
    assert not HistoryComplaint.objects.exists()


def lit(answer):
    """The entry of the navigation that is marked as where one is."""
    side = answer.text.split("</aside>")[0]
    return re.findall(r'<a href="([^"]+)" *\n? *aria-current="page"', side)


@pytest.mark.parametrize("given", [all_files(), all_files(net="1")])
def test_all_pages_of_a_history_light_the_entry_that_leads_to_them(
    given, clerk_client, admin_client
):
    for browser, entry in ((admin_client, "accounts:settings"), (clerk_client, "invoices:list")):
        first = lit(browser.get(reverse("invoices:import_history")))
        url = upload(browser, **given)["Location"]
        assert lit(browser.get(url)) == first == [reverse(entry)]
        assert lit(upload(browser)) == first


def test_the_list_of_invoices_leads_here(clerk_client, manager_client):
    url = f'href="{reverse("invoices:import_history")}"'
    assert clerk_client.get(reverse("invoices:list")).text.count(url) == 2
    assert url not in manager_client.get(reverse("invoices:list")).text
