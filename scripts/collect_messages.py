"""Bring the French catalogue up to date with the source: `make messages`. Needs gettext installed.

Nothing is guessed from similar sentences (no "fuzzy" entries), and nothing in the file changes
unless a sentence did: no places, no date, no wrapping, in alphabetical order.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "billing_portal" / "locale"
# Beside each .txt and .html that it reads, makemessages lays a .py for a moment: what reads all
# modules of an app meanwhile, as tests do, would take it for one.
LEFT_ALONE = [
    *(".*", "locale", "var", "bench", "tests", "scripts", "docs", "static", "tmp"),
    "assets",
]

HEADER = """\
# French for the billing portal. Words and tone: docs/french.md.
msgid ""
msgstr ""
"Language: fr\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"""


def collect(locale: Path) -> Path:
    """Into the catalogue under `locale`, which keeps what it has; returns its path."""
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.commands import makemessages
    from django.test import override_settings

    class Collect(makemessages.Command):
        msgmerge_options = [
            *makemessages.Command.msgmerge_options,
            "--no-fuzzy-matching",
            "--sort-output",
        ]

    assert settings.configured
    was = Path.cwd()
    os.chdir(ROOT)
    try:
        with override_settings(LOCALE_PATHS=[str(locale)]):
            call_command(
                Collect(),
                locale=["fr"],
                ignore_patterns=LEFT_ALONE,
                add_location="never",
                no_wrap=True,
                no_obsolete=True,
                verbosity=0,
            )
    finally:
        os.chdir(was)
    catalogue = locale / "fr" / "LC_MESSAGES" / "django.po"
    # Everything before the first sentence is header: ours, always the same.
    _, _, sentences = catalogue.read_text().partition("\n\n")
    catalogue.write_text(HEADER + "\n" + sentences)
    return catalogue


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings_for_tools")
    import django

    django.setup()
    words = collect(LOCALE).read_text()
    untold = re.findall(r'^msgstr(?:\[0\])? ""\n(?!")', words, flags=re.MULTILINE)
    print(f"{words.count(chr(10) + 'msgid ') - 1} sentences, {len(untold)} to translate")
