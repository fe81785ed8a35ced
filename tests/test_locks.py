"""The lock files hold on any later day: everything pinned, hashed, and with its extras.

scripts/check_locks.sh proves the rest, with an installer and a network.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def asked(name: str) -> list[Requirement]:
    """What an .in file asks for."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """What a lock pins, by canonical name, each with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    pins = {}
    for entry in text.replace("\\\n", " ").splitlines():
        head, *hashes = re.split(r"\s+--hash=", entry.strip())
        pin = Requirement(head)
        pins[canonicalize_name(pin.name)] = (pin, hashes)
    return pins


def test_each_list_has_its_lock():
    assert LOCKS == ["requirements-dev.txt", "requirements-installer.txt", "requirements.txt"]
    assert all((ROOT / lock).with_suffix(".in").exists() for lock in LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_hashes(lock):
    for pin, hashes in locked(lock).values():
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), pin


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_its_list_asks_for_extras_included(lock):
    pins = locked(lock)
    for wanted in asked(lock.replace(".txt", ".in")):
        pin, _ = pins[canonicalize_name(wanted.name)]
        assert wanted.extras <= pin.extras
        assert wanted.specifier.contains(str(pin.specifier).removeprefix("=="))


def test_both_locks_name_the_same_version_of_what_they_share():
    portal, tests = locked("requirements.txt"), locked("requirements-dev.txt")
    shared = portal.keys() & tests.keys()
    assert "django" in shared
    for name in shared:
        assert portal[name][0].specifier == tests[name][0].specifier


@pytest.mark.parametrize("file", [*LOCKS, *(lock.replace(".txt", ".in") for lock in LOCKS)])
def test_no_list_names_where_packages_come_from(file):
    text = (ROOT / file).read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
