"""Who may open what: every named page × every role. A page that is not in the table fails here.

Add a line for each new URL name: `"app:name": Page(permission, …)`. `permission` is the one that
the view names, or None for a page that everybody who is signed in may open. `args` fill the address
(0 is an id that does not exist: 404 then means "allowed in"). `post`: it takes POST only.
"""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import GRANTS
from reports.desk.counts import counts
from reports.models import Alert
from tests.accounts.page import OF_DOCUMENTS, Page
from tests.accounts.pages import OF_ACCOUNTS
from tests.accounts.subscription_pages import OF_SUBSCRIPTIONS
from tests.factories import make_client, make_deal, make_invoice, make_rule, make_user
from tests.invoices.lifecycle.making import PLATFORM_PAGES
from tests.invoices.quotes.making import PAGES_OF_DEPOSITS

ROLES = ["administrator", "finance", "manager", "sales"]
OURS = {"reports", "invoices", "integrations", "accounts", "company"}
ACTS = ("", "-check", "-anchor")


PAGES: dict[str, Page] = {
    **{name: Page(may, (0,) * key, post=post) for name, (may, key, post) in PLATFORM_PAGES.items()},
    **OF_ACCOUNTS,
    **{name: Page(*each) for name, each in OF_SUBSCRIPTIONS.items()},
    **OF_DOCUMENTS,
    # ─ accounts
    "accounts:settings": Page(None),
    "accounts:profile": Page(None),
    "accounts:language": Page(None, post=True),
    "accounts:people": Page("accounts.manage_people"),
    "accounts:invite": Page("accounts.manage_people"),
    "accounts:person": Page("accounts.manage_people", (0,)),
    "accounts:invite_again": Page("accounts.manage_people", (0,), post=True),
    # ─ company
    "company:books": Page("accounts.change_company"),
    "company:details": Page("accounts.change_company"),
    "company:logo": Page("accounts.change_company"),
    "company:invoicing": Page("accounts.change_company"),
    "company:numbers": Page("accounts.change_company"),
    "company:numbers-preview": Page("accounts.change_company", post=True),
    "company:client_types": Page("accounts.change_company"),
    "company:client_type": Page("accounts.change_company", (0,)),
    "company:client_type_move": Page("accounts.change_company", (0,), post=True),
    "company:client_type_merge": Page("accounts.change_company", (0,), post=True),
    "company:client_type_delete": Page("accounts.change_company", (0,), post=True),
    "company:terms": Page("accounts.change_company"),
    "company:terms_new": Page("accounts.change_company"),
    "company:terms_edit": Page("accounts.change_company", (0,)),
    "company:terms_archive": Page("accounts.change_company", (0,), post=True),
    "company:rates": Page("accounts.change_company"),
    "company:ecb": Page("accounts.change_company"),
    "company:penalty_delete": Page("accounts.change_company", (0,), post=True),
    "company:vat_rate": Page("accounts.change_company", (0,)),
    "company:exemption": Page("accounts.change_company", (0,)),
    "company:exemption_new": Page("accounts.change_company"),
    "company:exemption_delete": Page("accounts.change_company", (0,), post=True),
    "company:vat_rate_delete": Page("accounts.change_company", (0,), post=True),
    "company:exchange_delete": Page("accounts.change_company", (0,), post=True),
    # ─ integrations
    "integrations:deal": Page("invoices.view_deal", (0,)),
    "integrations:health": Page(None),
    "integrations:index": Page("integrations.view_connection"),
    "integrations:mapping": Page("integrations.change_connection"),
    "integrations:mapping_preview": Page("integrations.change_connection"),
    "integrations:pipedrive": Page("integrations.view_connection"),
    "integrations:refused_csv": Page("integrations.view_connection", (0,)),
    "integrations:run": Page("integrations.view_connection", (0,)),
    "integrations:run_again": Page("integrations.run_sync", (0,), post=True),
    "integrations:start": Page("integrations.run_sync", post=True),
    **{f"invoices:integrity{at}": Page("accounts.change_company", post=at > "") for at in ACTS},
    "invoices:account": Page("invoices.change_accounts"),
    "invoices:account-drop": Page("invoices.change_accounts", (0,), post=True),
    "invoices:account-new": Page("invoices.change_accounts"),
    "invoices:accounts": Page("invoices.export"),
    "invoices:accounts-used": Page("invoices.export"),
    "invoices:journal": Page("invoices.export"),
    "invoices:journal-account": Page("invoices.export", ("411000",)),
    "invoices:journal-export": Page("invoices.export", post=True),
    "invoices:apply": Page("invoices.add_payment", (0,)),
    "invoices:client": Page("invoices.view_client", (0,)),
    "invoices:client-ask-vat": Page("invoices.change_client", (0,), post=True),
    "invoices:client-choices": Page("invoices.view_client"),
    "invoices:client-edit": Page("invoices.change_client", (0,)),
    "invoices:client-new": Page("invoices.change_client"),
    "invoices:clients": Page("invoices.view_client"),
    "invoices:contact-edit": Page("invoices.change_client", (0, 0)),
    "invoices:contact-new": Page("invoices.change_client", (0,)),
    "invoices:contact-remove": Page("invoices.change_client", (0, 0), post=True),
    "invoices:credit": Page("invoices.add_creditnote", (0,)),
    "invoices:credit-totals": Page("invoices.add_creditnote", (0,), post=True),
    "invoices:deal": Page("invoices.view_deal", (0,)),
    "invoices:deal-client": Page("invoices.bill_deal", (0,)),
    "invoices:deals": Page("invoices.view_deal"),
    "invoices:deals-csv": Page("invoices.export"),
    "invoices:deals-xlsx": Page("invoices.export"),
    "invoices:clients-csv": Page("invoices.export"),
    "invoices:clients-xlsx": Page("invoices.export"),
    "invoices:detail": Page("invoices.view_invoice", (0,)),
    "invoices:document": Page("invoices.view_invoice", (0,)),
    "invoices:einvoice": Page("invoices.view_invoice", (0,)),
    "invoices:ubl": Page("invoices.view_invoice", (0,)),
    "invoices:download-pdfs": Page("invoices.view_invoice", post=True),
    "invoices:draft-client": Page("invoices.change_invoice", (0,)),
    "invoices:draft-deal": Page("invoices.bill_deal", (0,), post=True),
    "invoices:draft-deals": Page("invoices.bill_deal"),
    "invoices:edit": Page("invoices.change_invoice", (0,)),
    "invoices:export-csv": Page("invoices.export"),
    "invoices:export-xlsx": Page("invoices.export"),
    "invoices:history_answer": Page("invoices.import_history", (0,), post=True),
    "invoices:history_bring_in": Page("invoices.import_history", (0,), post=True),
    "invoices:history_discard": Page("invoices.import_history", (0,), post=True),
    "invoices:history_preview": Page("invoices.import_history", (0,)),
    "invoices:history_progress": Page("invoices.import_history", (0,)),
    "invoices:history_refused": Page("invoices.import_history", (0,)),
    "invoices:import_history": Page("invoices.import_history"),
    "invoices:decide-vat": Page("invoices.decide_vat", (0,)),
    "invoices:issue": Page("invoices.issue_invoice", (0,)),
    "invoices:list": Page("invoices.view_invoice"),
    "invoices:mail": Page("invoices.view_mail"),
    "invoices:mail-arrived": Page("invoices.send_invoice", (0,), post=True),
    "invoices:mail-cancel": Page("invoices.send_invoice", (0,), post=True),
    "invoices:mail-message": Page("invoices.view_mail", (0,)),
    "invoices:mail-resend": Page("invoices.send_invoice", (0,), post=True),
    "invoices:new": Page("invoices.change_invoice"),
    "invoices:note": Page("invoices.change_invoice", (0,)),
    "invoices:payment": Page("invoices.view_payment", (0,)),
    "invoices:payment-allocate": Page("invoices.add_payment", (0,)),
    "invoices:payment-new": Page("invoices.add_payment"),
    "invoices:payment-payers": Page("invoices.add_payment"),
    "invoices:payment-undo": Page("invoices.reverse_payment", (0,), post=True),
    "invoices:payment-reverse": Page("invoices.reverse_payment", (0,)),
    "invoices:payments": Page("invoices.view_payment"),
    "invoices:payments-csv": Page("invoices.export"),
    "invoices:payments-xlsx": Page("invoices.export"),
    "invoices:preview": Page("invoices.view_invoice", (0,)),
    "invoices:send": Page("invoices.send_invoice", (0,)),
    "invoices:deal-change": Page("invoices.issue_invoice", (0,)),
    "invoices:set-deal-aside": Page("invoices.bill_deal", (0,)),
    "invoices:tab-counts": Page("invoices.view_invoice"),
    "invoices:take-deal-back": Page("invoices.bill_deal", (0,), post=True),
    "invoices:timeline": Page("invoices.view_invoice", (0,)),
    "invoices:totals": Page("invoices.change_invoice", (0,), post=True),
    "invoices:void": Page("invoices.change_invoice", (0,)),
    "invoices:guest-accept": Page(None, ("x",), post=True, open_to_all=True),
    "invoices:guest-ask": Page(None, ("x",), post=True, open_to_all=True),
    "invoices:guest-decline": Page(None, ("x",), post=True, open_to_all=True),
    "invoices:guest-pdf": Page(None, ("x",), open_to_all=True),
    "invoices:guest-quote": Page(None, ("x",), open_to_all=True),
    "invoices:guest-reconsider": Page(None, ("x",), post=True, open_to_all=True),
    "invoices:guest-seen": Page(None, ("x",), post=True, open_to_all=True),
    "invoices:guest-total": Page(None, ("x",), post=True, open_to_all=True),
    **{name: Page(permission, (0,)) for name, permission in PAGES_OF_DEPOSITS.items()},
    "invoices:quote-bill": Page("invoices.change_invoice", (0,)),
    "invoices:quote-copy": Page("invoices.change_quote", (0,), post=True),
    "invoices:quote-discard": Page("invoices.change_quote", (0,)),
    "invoices:quote-edit": Page("invoices.change_quote", (0,)),
    "invoices:quote-figures": Page("invoices.view_quote"),
    "invoices:quote-file": Page("invoices.view_quote", (0, 0)),
    "invoices:quote-from-deal": Page("invoices.change_quote", (0,), post=True),
    "invoices:quote-link": Page("invoices.change_quote", (0,), post=True),
    "invoices:quote-new": Page("invoices.change_quote"),
    "invoices:quote-preview": Page("invoices.view_quote", (0,)),
    "invoices:quote-record": Page("invoices.change_quote", (0,)),
    "invoices:quote-send": Page("invoices.change_quote", (0,)),
    "invoices:quote-send-again": Page("invoices.change_quote", (0,)),
    "invoices:quote-totals": Page("invoices.change_quote", (0,), post=True),
    "invoices:quote-version": Page("invoices.change_quote", (0,), post=True),
    "invoices:quote-withdraw": Page("invoices.change_quote", (0,)),
    "invoices:quotes": Page("invoices.view_quote"),
    "invoices:quotes-csv": Page("invoices.export"),
    "invoices:quotes-xlsx": Page("invoices.export"),
    "invoices:refund": Page("invoices.view_payment", (0,)),
    "invoices:refund-back": Page("invoices.add_refund", (0,)),
    "invoices:refund-new": Page("invoices.add_refund"),
    "invoices:write-off-back": Page("invoices.add_creditnote", (0,)),
    "invoices:write-off": Page("invoices.add_creditnote", (0,)),
    # ─ reports
    "reports:acknowledge": Page("reports.handle_alert", (0,), post=True),
    "reports:acknowledge-all": Page("reports.handle_alert", (0,), post=True),
    "reports:alerts": Page("reports.view_alert"),
    "reports:counts": Page("reports.view_desk"),
    "reports:delays": Page("reports.view_reports"),
    "reports:delays-csv": Page("reports.view_reports"),
    "reports:delays-figures": Page("reports.view_reports"),
    "reports:delays-xlsx": Page("reports.view_reports"),
    "reports:desk": Page("reports.view_desk"),
    "reports:receivables": Page("reports.view_reports"),
    "reports:receivables-csv": Page("reports.view_reports"),
    "reports:receivables-figures": Page("reports.view_reports"),
    "reports:receivables-xlsx": Page("reports.view_reports"),
    "reports:reopen": Page("reports.handle_alert", (0,), post=True),
    "reports:rule": Page("reports.view_alertrule", (0,)),
    "reports:rule-delete": Page("reports.change_alertrule", (0,), post=True),
    "reports:rule-new": Page("reports.change_alertrule"),
    "reports:rule-switch": Page("reports.change_alertrule", (0,), post=True),
    "reports:rule-tried": Page("reports.view_alertrule", (0,)),
    "reports:rule-try": Page("reports.change_alertrule"),
    "reports:rules": Page("reports.view_alertrule"),
    "reports:search": Page("reports.view_desk"),
    "reports:snooze": Page("reports.handle_alert", (0,)),
}


def named_urls() -> dict[str, URLPattern]:
    found: dict[str, URLPattern] = {}

    def walk(patterns, namespace=""):
        for each in patterns:
            if isinstance(each, URLResolver):
                inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
                walk(each.url_patterns, inner)
            elif each.name and namespace.rstrip(":") in OURS:
                found[f"{namespace}{each.name}"] = each

    walk(get_resolver().url_patterns)
    return found


def _ask(browser: Browser, name: str):
    page = PAGES[name]
    url = reverse(name, args=page.args)
    answer = browser.post(url) if page.post else browser.get(url)
    if answer.streaming:
        # Read to its end, so that an export closes its file.
        list(answer.streaming_content)
    return answer


def _signed_in(role: str) -> Browser:
    browser = Browser()
    browser.force_login(
        make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return browser


def test_every_page_is_in_the_table():
    missing = sorted(set(named_urls()) - set(PAGES))
    assert not missing, (
        "Add these pages to PAGES in tests/accounts/test_roles.py with the permission that their "
        f"view names: {missing}"
    )


def test_the_table_names_only_pages_that_exist():
    assert sorted(set(PAGES) - set(named_urls())) == []


def test_every_permission_in_the_table_is_granted_to_somebody():
    granted = set().union(*GRANTS.values())
    assert {page.permission for page in PAGES.values()} - {None} <= granted


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("app", sorted(OURS))
def test_a_role_opens_a_page_exactly_when_it_is_granted(app, role):
    browser, wrong = _signed_in(role), []
    for name, page in PAGES.items():
        if not name.startswith(f"{app}:"):
            continue
        answer = _ask(browser, name)
        if page.permission is None or page.permission in GRANTS[role]:
            # 404 is the id that does not exist, 302/303 leads on, 422 wants what we did not send.
            expected = {200, 204, 286, 302, 303, 400, 404, 409, 422}
        else:
            expected = {403}
        to_login = answer.headers.get("Location", "").startswith("/accounts/login/")
        if answer.status_code not in expected or to_login:
            wrong.append(f"{name}: {answer.status_code}, expected one of {sorted(expected)}")
    assert wrong == []


@pytest.mark.django_db
def test_nobody_opens_a_page_without_signing_in(client):
    for name, page in PAGES.items():
        if page.open_to_all:
            continue
        answer = _ask(client, name)
        assert answer.status_code == 302, name
        assert answer["Location"].startswith("/accounts/login/?next="), name


@pytest.mark.django_db
def test_an_expired_login_inside_a_fragment_leads_the_window_to_the_login_page(client):
    answer = client.get(
        reverse("accounts:people"),
        headers={
            "HX-Request": "true",
            "HX-Current-URL": "http://testserver/settings/people/?q=1",
        },
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2Fsettings%2Fpeople%2F%3Fq%3D1"
    assert answer.content == b""


@pytest.mark.django_db
def test_somebody_whose_access_was_closed_is_out_at_once(client):
    user = make_user(role="finance")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("accounts:profile")).status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(reverse("accounts:profile")).status_code == 302


# ─ Sales: only what is theirs ───────────────────────────────────────────────────────────────────
@pytest.fixture
def seller(db):
    return make_user(role="sales", name="Théo Marchand")


@pytest.fixture
def seller_client(seller) -> Browser:
    browser = Browser()
    browser.force_login(seller, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


@pytest.mark.parametrize("name", ["detail", "timeline", "document", "einvoice", "ubl", "preview"])
def test_a_salesperson_does_not_open_the_invoice_of_a_colleague(seller_client, name):
    theirs = make_invoice(owner=make_user(role="sales"), number="OLD-SECRET")
    answer = seller_client.get(reverse(f"invoices:{name}", args=[theirs.pk]))
    assert answer.status_code == 404
    assert "OLD-SECRET" not in answer.text


def test_a_salesperson_opens_their_own_invoice_and_sees_no_act_on_it(seller_client, seller):
    mine = make_invoice(owner=seller, number="OLD-MINE")
    answer = seller_client.get(reverse("invoices:detail", args=[mine.pk]))
    assert answer.status_code == 200
    assert "OLD-MINE" in answer.text
    for act in ("credit", "send", "write-off", "apply"):
        assert reverse(f"invoices:{act}", args=[mine.pk]) not in answer.text


@pytest.mark.parametrize("path", ["/invoices/", "/search/?q=OLD-SECRET", "/", "/counts/"])
def test_no_page_tells_a_salesperson_of_the_invoices_of_others(seller_client, path):
    make_invoice(owner=make_user(role="sales"), number="OLD-SECRET", total_minor=987_654_00)
    make_invoice(owner=None, number="OLD-SECRET-2", total_minor=987_654_00)
    text = seller_client.get(path).text
    assert "OLD-SECRET-2" not in text
    assert "987,654" not in text


@pytest.mark.parametrize("path", ["/alerts/", "/alerts/?rule=RULE", "/", "/counts/"])
def test_no_page_tells_a_salesperson_of_the_alerts_of_others(seller_client, seller, path):
    rule = make_rule(name="Secret rule")
    for owner in (make_user(role="sales"), None):
        theirs = make_invoice(owner=owner, client=make_client(name="Secret client"))
        Alert.objects.create(
            rule=rule,
            reason_key=f"test:{theirs.pk}",
            episode_started_on=theirs.due_date,
            fired_on=theirs.due_date,
            invoice=theirs,
            client=theirs.client,
            data={"minor": 100, "currency": "EUR", "days": 40},
        )
    text = seller_client.get(path.replace("RULE", str(rule.pk))).text
    assert "Secret" not in text
    counted = next(c for c in counts(seller, theirs.due_date) if c.key == "alerts")
    assert counted.n == 0


def test_a_salesperson_does_not_open_the_deal_of_a_colleague(seller_client, seller):
    theirs = make_deal(owner=make_user(role="sales"), title="Secret deal")
    mine = make_deal(owner=seller, title="My deal")
    assert seller_client.get(reverse("invoices:deal", args=[theirs.pk])).status_code == 404
    assert seller_client.get(reverse("invoices:deal", args=[mine.pk])).status_code == 200
    assert "Secret deal" not in seller_client.get(reverse("invoices:deals")).text


@pytest.mark.django_db
def test_behind_a_proxy_one_persons_failed_logins_keep_nobody_else_out(client, settings):
    from django.core.cache import cache

    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    cache.clear()

    def fail(address: str, email: str) -> int:
        return client.post(
            reverse("account_login"),
            {"login": email, "password": "wrong"},
            headers={"X-Forwarded-For": address},
        ).status_code

    seen = {fail("203.0.113.7", f"guess{n}@kerlann.example") for n in range(60)}
    assert 429 in seen
    assert fail("203.0.113.8", "colleague@kerlann.example") != 429
    cache.clear()
