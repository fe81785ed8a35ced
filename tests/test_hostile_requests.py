"""Every address × every role × what no honest person sends: a page may refuse, it never fails.

The parameters that a page reads are found by watching it read, and the fields of its forms in its
HTML, so that new pages and new filters are attacked without a line here.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from invoices.models import Payment
from tests.asking import ask, signed_in, written
from tests.factories import make_client
from tests.page_forms import PageForms, alone, shape_of
from tests.places import BOMB

pytestmark = [
    pytest.mark.django_db,
    # A cursor of one sort in the address of another: read as the start of that day.
    pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime"),
]


def _cursor(written: str) -> str:
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


# The first ones go into each field and parameter alone, by turns, while the others are right.
EVERYWHERE = ["9" * 400, "²", "x\0\ud800", "-1"]
ELSEWHERE = [
    *EVERYWHERE,
    "x" * 10_000,
    "nan",
    "1e999",
    "-999999999999",
    "9223372036854775808",
    "0001-01-01",
    "9999-12-31",
    "0000-00-00",
    "2026-02-31",
    "' OR 1=1 --",
    "../../etc/passwd",
    "%00",
    "\u202e\u200b🧾" * 300,
    BOMB,
]
# Where a list goes on from; a page that reads no cursor is spared them.
CURSORS = [
    "[1",
    _cursor("[Infinity,1]"),
    _cursor('[{"n":"Infinity"},1]'),
    _cursor("[1e400,1]"),
    _cursor('["\\ud800",1]'),
    _cursor(json.dumps([{"d": "0001-01-01"}, 2**63 - 1])),
]


def _mixes(names):
    """All of these bad at once, in as many requests as a third of the values.

    The n-th name gets another value than its neighbour, and another one in each request, so that
    every value meets every kind of field; all at the same value would take three times as many.
    """
    names = sorted(names)
    for turn in range(0, len(ELSEWHERE), 3):
        yield {name: ELSEWHERE[(turn + n) % len(ELSEWHERE)] for n, name in enumerate(names)}
    if "after" in names or "before" in names:
        for value in CURSORS:
            yield dict.fromkeys(names, value)


# What pages read from their address. The list is there for a parameter that a page reads only in
# the company of others; one that is found by watching and is not here fails below.
_PARAMETERS = (
    "after again ageing amount amount_max amount_min as as_of asked at before bucket by category "
    "client converted currency dates days disputed download due_from due_to einvoice email first "
    "for form format from history ids instalment invoice is issued_from issued_to key kind lang "
    "language last late late_max late_min measure method month nature next next_from next_to on "
    "origin owing owner page page_shown paid_from paid_to panel payer pipeline purpose q quarter "
    "rate reason received_from received_on received_to reference reply role rule said same send "
    "sent_from sent_to show since size sort standing-shown state subscription tab terms territory "
    "then to to_pay_max to_pay_min type type_today typed unapplied until until_from until_to "
    "urlencode version way window_days won_from won_since won_until"
)
PARAMETERS = frozenset(_PARAMETERS.split())
CURSOR = {"after", "before"}
# What only HTML says where one was: htmx tells it, and anybody may.
NOT_ADDRESSES = ["http://[::1", "//", "http://x:99999999/", "javascript:1", "%ff%00", "x" * 9_000]


@pytest.fixture
def reads(monkeypatch):
    """The names of parameters that were asked for since it was last cleared."""
    found: set[str] = set()
    for word in ("get", "getlist", "__getitem__", "__contains__"):
        plain = getattr(QueryDict, word)

        def watched(self, key, *rest, _plain=plain, **named):
            if isinstance(key, str):
                found.add(key)
            return _plain(self, key, *rest, **named)

        monkeypatch.setattr(QueryDict, word, watched)
    return found


def _forms(browser, name, url):
    """The forms of a page; its frame has its own, to sign out and for the language."""
    page = ask(browser, "get", url)
    if page.streaming or "html" not in page.headers.get("Content-Type", ""):
        return PageForms("")
    forms = PageForms(page.text)
    forms.found = [
        (action or url, fields)
        for action, fields in forms.found
        if "logout" not in action
        and (not action.endswith("language/") or name == "accounts:profile")
    ]
    return forms


def _keyed(fields, bad):
    """Every field of a form bad, but not what lets it act: its key, and what was looked at."""
    kept = {name: fields[name] for name in ("once", "confirmed") if name in fields}
    return {**bad, **kept}


@pytest.mark.parametrize("app", ["accounts", "company", "integrations", "invoices", "reports"])
def test_no_parameter_and_no_field_makes_a_page_fail(app, places, failures, reads):
    browser = signed_in(User.Role.ADMINISTRATOR)
    wrong = []
    attacked: set[tuple[str, frozenset[str]]] = set()

    def attack(method, url, data):
        failures.clear()
        if ask(browser, method, url, written(data)).status_code >= 500 or failures:
            wrong.append((method, url, {k: str(v)[:30] for k, v in data.items()}))

    for name, url in places.items():
        if not name.startswith(f"{app}:"):
            continue
        reads.clear()
        failures.clear()
        page = ask(browser, "get", url)
        if page.status_code >= 500 or failures:
            wrong.append(("get", url, {}))
        names = sorted(reads)
        for n, each in enumerate(names if not url.endswith("xlsx") else ()):
            attack("get", url, {each: EVERYWHERE[n % 2]})
        # Those too that the page reads only once others are given.
        for bad in _mixes({*names, *PARAMETERS} - (CURSOR - set(names))) if names else ():
            attack("get", url, bad)
        assert reads <= PARAMETERS, f"{name} reads {reads - PARAMETERS}: name them in PARAMETERS."
        for action, fields in _forms(browser, name, url).found:
            mixes = [_keyed(fields, bad) for bad in _mixes({*fields, "extra"})]
            form = (shape_of(action), frozenset(fields))
            if form in attacked:
                # The same form of another row: its state may differ, its reading does not.
                mixes = mixes[:1]
            else:
                for n, field in enumerate(alone(fields)):
                    attack("post", action, {**fields, field: EVERYWHERE[n % 3]})
            attacked.add(form)
            for bad in mixes:
                attack("post", action, bad)
        reads.clear()
        attack("post", url, {})
        for value in EVERYWHERE:
            attack("post", url, {**dict.fromkeys(reads, value), "once": new_key()})
    assert not wrong, wrong


@pytest.mark.parametrize("role", [User.Role.FINANCE, User.Role.MANAGER, User.Role.SALES])
def test_no_role_makes_a_page_fail(role, places, failures, reads):
    browser = signed_in(role)
    wrong = []
    for url in places.values():
        reads.clear()
        failures.clear()
        answers = [ask(browser, "get", url), ask(browser, "post", url)]
        bad = written(dict.fromkeys(sorted(reads), EVERYWHERE[1]))
        answers += [ask(browser, "get", url, bad), ask(browser, "post", url, bad)]
        names = sorted(reads)
        # Sales sees a part of everything: each query is another one.
        mixes = _mixes(names) if role == User.Role.SALES else ()
        answers += [ask(browser, "get", url, written(bad)) for bad in mixes]
        if failures or any(answer.status_code >= 500 for answer in answers):
            wrong.append(url)
    assert not wrong, wrong


def test_no_page_runs_the_names_it_shows_and_none_tells_the_token(places):
    for role in (User.Role.ADMINISTRATOR, User.Role.SALES):
        browser = signed_in(role)
        for url in places.values():
            answer = ask(browser, "get", url)
            if "html" not in answer.headers.get("Content-Type", ""):
                continue
            assert "<script>alert" not in answer.text, url
            assert "<img src=x" not in answer.text, url
            assert "<b>{{" not in answer.text, url
            assert "49</b>" not in answer.text, url
            assert "secret-token" not in answer.text, url
            assert "no-cache" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]


def test_every_form_that_acts_once_carries_its_key(places):
    browser = signed_in(User.Role.ADMINISTRATOR)
    for url in places.values():
        page = ask(browser, "get", url)
        if page.streaming or "html" not in page.headers.get("Content-Type", ""):
            continue
        for action, fields in PageForms(page.text).found:
            answer = ask(browser, "post", action or url, written(fields))
            assert "without its key" not in answer.content.decode(), (url, action)


def test_no_address_of_where_one_was_makes_a_page_fail(places, failures):
    browser = signed_in(User.Role.ADMINISTRATOR)
    wrong = []
    for number, url in enumerate(places.values()):
        # Each page with one of them, and those that read it with all.
        mine = [NOT_ADDRESSES[0], NOT_ADDRESSES[number % len(NOT_ADDRESSES)]]
        for bad in NOT_ADDRESSES if "issue" in url or "health" in url else mine:
            failures.clear()
            answer = ask(browser, "get", url, **{"HX-Request": "true", "HX-Current-URL": bad})
            if answer.status_code >= 500 or failures:
                wrong.append((url, bad[:20]))
    assert not wrong, wrong


def test_no_form_of_the_demo_makes_a_page_fail(places, failures, settings):
    """The demo has forms of its own, and lets addresses through that a real portal refuses."""
    settings.DEMO = True
    browser = signed_in(User.Role.ADMINISTRATOR)
    wrong = []
    for name, url in places.items():
        requests = [("get", url, "")]
        for action, fields in _forms(browser, name, url).found:
            bad = dict.fromkeys({*fields, "extra"}, EVERYWHERE[2])
            requests.append(("post", action, written(_keyed(fields, bad))))
        bad = written(dict.fromkeys(PARAMETERS, EVERYWHERE[2]))
        requests += [("get", url, bad), ("post", url, bad)]
        for method, address, data in requests:
            failures.clear()
            if ask(browser, method, address, data).status_code >= 500 or failures:
                wrong.append((method, address, data[:60]))
    for field in ("next", "email"):
        failures.clear()
        answer = ask(Browser(), "get", reverse("account_login"), written({field: "x\0\ud800"}))
        assert (answer.status_code, failures) == (200, [])
    assert not wrong, wrong


def test_a_file_field_that_is_ticked_to_be_cleared_does_not_make_a_page_fail(places, failures):
    """A file and "clear it" at once, one of them alone, and text where a file belongs."""
    browser = signed_in(User.Role.ADMINISTRATOR)
    tried = 0
    for name, url in places.items():
        for action, field, fields in _forms(browser, name, url).uploads:
            rest = {n: value for n, value in fields.items() if n != field}
            for data in (
                {**rest, f"{field}-clear": "on"},
                {**rest, f"{field}-clear": "on", field: SimpleUploadedFile("a.csv", b"name\nx\n")},
                {**rest, f"{field}-clear": "on", field: SimpleUploadedFile("a\u202e.png", b"\0")},
                {**rest, field: "no file"},
            ):
                failures.clear()
                answer = ask(browser, "post", action or url, data)
                assert answer.status_code < 500, (url, data)
                assert not failures, (url, data)
                tried += 1
    assert tried >= 4 * 4


def test_a_key_of_a_form_that_no_database_could_keep_is_still_a_key(clerk_client):
    entry = {
        "client": make_client().pk,
        "currency": "EUR",
        "amount": "120",
        "received_on": timezone.localdate().isoformat(),
        "method": "transfer",
    }
    url = reverse("invoices:payment-new")
    assert clerk_client.post(url, {**entry, "once": "\0\0"}).status_code == 400
    assert not Payment.objects.exists()
    for _click in range(2):
        assert clerk_client.post(url, {**entry, "once": "k\0é"}).status_code in (302, 303)
    assert Payment.objects.count() == 1
