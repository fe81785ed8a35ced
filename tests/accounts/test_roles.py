"""Who may open what: every named page × every role. A page that is not in the table fails here.

Add a line for each new URL name: `"app:name": Page(permission, …)`. `permission` is the one that
the view names, or None for a page that everybody who is signed in may open. `args` fill the address
(0 is an id that does not exist: 404 then means "allowed in"). `post=True` marks a page that takes
POST only. `open_to_all` needs no login.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import GRANTS
from tests.factories import make_user

ROLES = ["administrator", "finance", "manager", "sales"]
OURS = {"reports", "invoices", "integrations", "accounts", "company"}


class Page(NamedTuple):
    permission: str | None
    args: tuple[object, ...] = ()
    post: bool = False
    open_to_all: bool = False


PAGES: dict[str, Page] = {
    # ─ accounts
    "accounts:settings": Page(None),
    "accounts:profile": Page(None),
    "accounts:language": Page(None, post=True),
    "accounts:people": Page("accounts.manage_people"),
    "accounts:invite": Page("accounts.manage_people"),
    "accounts:person": Page("accounts.manage_people", (0,)),
    "accounts:invite_again": Page("accounts.manage_people", (0,), post=True),
    # ─ company
    "company:details": Page("accounts.change_company"),
    "company:logo": Page("accounts.change_company"),
    "company:invoicing": Page("accounts.change_company"),
    "company:client_types": Page("accounts.change_company"),
    "company:client_type": Page("accounts.change_company", (0,)),
    "company:client_type_move": Page("accounts.change_company", (0,), post=True),
    "company:client_type_merge": Page("accounts.change_company", (0,), post=True),
    "company:client_type_delete": Page("accounts.change_company", (0,), post=True),
    "company:rates": Page("accounts.change_company"),
    "company:penalty_delete": Page("accounts.change_company", (0,), post=True),
    "company:exchange_delete": Page("accounts.change_company", (0,), post=True),
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
    return browser.post(url) if page.post else browser.get(url)


@pytest.fixture
def browsers(db) -> dict[str, Browser]:
    found = {}
    for role in ROLES:
        found[role] = Browser(raise_request_exception=True)
        found[role].force_login(
            make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
    return found


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


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_role_opens_a_page_exactly_when_it_is_granted(browsers, name):
    permission = PAGES[name].permission
    for role in ROLES:
        answer = _ask(browsers[role], name)
        allowed = permission is None or permission in GRANTS[role]
        if allowed:
            # 404 is the id that does not exist, 302/303 leads on, 422 wants what we did not send.
            assert answer.status_code in {200, 204, 286, 302, 303, 400, 404, 409, 422}, (
                f"{role} opens {name}: {answer.status_code}"
            )
            assert "/accounts/login/" not in answer.headers.get("Location", "")
        else:
            assert answer.status_code == 403, f"{role} opens {name}: {answer.status_code}"


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(PAGES))
def test_nobody_opens_a_page_without_signing_in(client, name):
    if PAGES[name].open_to_all:
        return
    answer = _ask(client, name)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


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
