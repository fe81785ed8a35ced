"""Bring the French catalogue up to date with the source: `make messages`. Needs gettext installed.

Nothing is guessed from similar sentences (no "fuzzy" entries), and nothing in the file changes
unless a sentence did: no line numbers, no date, no wrapping.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = Path("billing_portal/locale/fr/LC_MESSAGES/django.po")
LEFT_ALONE = [".venv", "var", "bench", "tests", "scripts", "docs", "static", "node_modules"]

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


def collect() -> None:
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")
    import django
    from django.core.management import call_command
    from django.core.management.commands import makemessages

    django.setup()

    class Collect(makemessages.Command):
        msgmerge_options = [
            *makemessages.Command.msgmerge_options,
            "--no-fuzzy-matching",
            "--sort-by-file",
        ]

    call_command(
        Collect(),
        locale=["fr"],
        ignore_patterns=LEFT_ALONE,
        add_location="file",
        no_wrap=True,
        no_obsolete=True,
        verbosity=0,
    )
    words = CATALOGUE.read_text()
    # Everything before the first sentence is header: ours, always the same.
    _, _, sentences = words.partition("\n\n")
    CATALOGUE.write_text(HEADER + "\n" + sentences)
    lacking = re.findall(r'^msgid (.*)\nmsgstr(?:\[0\])? ""\n(?!")', words, flags=re.MULTILINE)
    print(f"{CATALOGUE}: {words.count(chr(10) + 'msgid ')} sentences, {len(lacking)} to translate")


if __name__ == "__main__":
    collect()
