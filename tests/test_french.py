"""The French catalogue is whole: every sentence, every placeholder, and French print."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.utils.translation import gettext, ngettext, override

from scripts.collect_messages import LEFT_ALONE, LOCALE, ROOT, collect

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
TAGS = re.compile(r"<[^>]*>")


def _read(path) -> Catalog:
    with path.open("rb") as words:
        return read_po(words, locale="fr")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return _read(LOCALE / "fr" / "LC_MESSAGES" / "django.po")


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _pairs(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    """Each English sentence beside its French one, plural forms one by one."""
    for message in _messages(catalogue):
        if isinstance(message.id, str):
            yield message.id, message.string
        else:
            yield from zip(message.id, message.string, strict=True)


def _texts(catalogue: Catalog) -> Iterator[str]:
    """What is read, without the markup around it and the addresses in it."""
    return (re.sub(r"https?:(//\S+)?", "", TAGS.sub("", fr)) for _en, fr in _pairs(catalogue))


def test_every_sentence_has_a_french_one(catalogue):
    assert [english for english, french in _pairs(catalogue) if not french.strip()] == []


def test_no_french_sentence_is_a_guess(catalogue):
    assert [message.id for message in _messages(catalogue) if message.fuzzy] == []


# What an accountant (or an English reader) would not write; docs/french.md has the words chosen.
ODD_FRENCH = {
    "tout seul, toute seule": r"\btoute?s? seule?s?\b",
    "Supprimés là-bas": r"\blà-bas\b",
    "Une alerte est dite une fois": r"\bdite?s? une (seule )?fois\b",
    "Prises, avec une remarque": r"\bprise?s?, avec\b",
    "numéro pris, PDF gardé": r"\bnuméro pris\b",
    "Rien n’en a été pris": r"\ba été pris\b",
    "Ce qui vient ensuite": r"\bqui vient ensuite\b",
    "imputer, for a payment": r"\bimput(er|é|ation)",
    "importation": r"\bimportations?\b",
    "abandon de créance": r"\babandons? de créance",
    "a worker has one name": r"\bprocessus d’arrière-plan\b",
    "a machine does not stumble": r"\btrébuch",
}
ODD_ENGLISH = {
    "leaves the house": r"\bleaves? the house\b",
    "Words on the invoice": r"\bwords on the\b",
    "Mails, a mail: one message is an email": r"\bmails\b|\b(a|this|another) mail\b(?! server)",
}


@pytest.mark.parametrize("name", ODD_FRENCH)
def test_no_odd_french_comes_back(catalogue, name):
    odd = re.compile(ODD_FRENCH[name], re.IGNORECASE)
    assert [french for french in _texts(catalogue) if odd.search(french)] == []


@pytest.mark.parametrize("name", ODD_ENGLISH)
def test_no_odd_english_comes_back(catalogue, name):
    odd = re.compile(ODD_ENGLISH[name], re.IGNORECASE)
    assert [english for english, _french in _pairs(catalogue) if odd.search(english)] == []


def test_placeholders_are_the_same_in_both_languages(catalogue):
    wrong = []
    for message in _messages(catalogue):
        several = not isinstance(message.id, str)
        english = message.id if several else (message.id,)
        french = message.string if several else (message.string,)
        known = {name for text in english for name in PLACEHOLDERS.findall(text)}
        for theirs, ours in zip(english, french, strict=True):
            used, wanted = set(PLACEHOLDERS.findall(ours)), set(PLACEHOLDERS.findall(theirs))
            # A singular may say "one" or its figure.
            if not (used == wanted or (several and used <= known and wanted - used <= {"%(n)s"})):
                wrong.append((theirs, ours))
    assert wrong == []


def test_markup_is_the_same_in_both_languages(catalogue):
    assert [
        (english, french)
        for english, french in _pairs(catalogue)
        if sorted(TAGS.findall(english)) != sorted(TAGS.findall(french))
    ] == []


def test_a_sentence_begins_and_ends_with_the_same_blanks_and_stop(catalogue):
    def edges(text: str) -> tuple[str, str, bool]:
        start, end = re.match(r"\s*", text), re.search(r"\s*$", text)
        return start.group(), end.group(), text.rstrip().endswith((".", "…"))

    assert [
        (english, french)
        for english, french in _pairs(catalogue)
        if edges(english) != edges(french)
    ] == []


def test_the_apostrophe_is_the_curved_one(catalogue):
    assert [french for french in _texts(catalogue) if "'" in french] == []


def test_a_narrow_unbroken_space_stands_before_tall_signs(catalogue):
    wrong = re.compile(r"(?<!\u202f)[;:!?]")
    assert [french for french in _texts(catalogue) if wrong.search(french)] == []


def test_guillemets_hold_narrow_unbroken_spaces(catalogue):
    wrong = re.compile(r"«(?!\u202f)|(?<!\u202f)»|[“”\"]")
    assert [french for french in _texts(catalogue) if wrong.search(french)] == []


def test_percent_and_euro_signs_do_not_leave_their_figures(catalogue):
    wrong = re.compile(r"[ \u202f](%(?!\()|€)|(?<=[\w)])%%")
    assert [french for french in _texts(catalogue) if wrong.search(french)] == []


def test_plurals_follow_french_not_english(catalogue):
    with override("fr"):
        told = [ngettext("%(n)s invoice", "%(n)s invoices", n) % {"n": n} for n in (0, 1, 2)]
    assert told == ["0 facture", "1 facture", "2 factures"]


def test_a_page_speaks_the_language_of_its_reader():
    with override("fr"):
        assert gettext("Record a payment") == "Saisir un paiement"
    with override("en-gb"):
        assert gettext("Record a payment") == "Record a payment"


def test_nothing_is_laid_beside_the_modules_while_sentences_are_collected():
    """A test that reads all modules at that moment would read it too."""
    apps = ("billing_portal", "invoices", "reports", "integrations")
    read = [
        path for app in apps for end in ("txt", "html") for path in (ROOT / app).rglob(f"*.{end}")
    ]
    assert [str(path) for path in read if not {*path.relative_to(ROOT).parts} & {*LEFT_ALONE}] == []


@pytest.mark.skipif(
    not shutil.which("xgettext"), reason="gettext is not installed: sentences cannot be collected"
)
def test_no_sentence_of_the_source_is_missing_from_the_catalogue(catalogue, tmp_path):
    def key(message: Message) -> tuple[str | None, str]:
        return message.context, message.id if isinstance(message.id, str) else message.id[0]

    (tmp_path / "fr").mkdir()
    found = {key(message) for message in _messages(_read(collect(tmp_path)))}
    kept = {key(message) for message in _messages(catalogue)}
    assert sorted(found - kept, key=str) == [], "run make messages and translate what is new"
    assert sorted(kept - found, key=str) == [], "run make messages: these are no longer said"
