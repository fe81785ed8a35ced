"""What nothing uses is deleted: classes of the stylesheet, templates, attributes for the script.

A name counts as used where its word stands in a template, in the script or in our Python; names
that are put together from pieces are listed here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
APPS = ("billing_portal", "invoices", "reports", "integrations")
WORD = re.compile(r"[A-Za-z_][\w-]*")
# “heat-{{ level }}”; those of htmx are put on by htmx, `.x` weighs a selector up.
PIECED = re.compile(r"(ct-stroke|fill|heat|state|htmx)-|x$")
# Django, allauth and the kinds of mail ask for these by rules of their own.
BY_RULE = re.compile(
    r"\d+(_csrf)?\.html|account/.*|allauth/.*|django/forms/widgets/.*"
    r"|reports/desk/partials/desk_\w+\.html|invoices/documents/pdf/(classic|modern|compact)\.html"
    r"|invoices/quotes/email/answer\.txt"
    r"|invoices/subscriptions/(start|pause|resume|skip|end|rise|index|release|discard)\.html"
)
# What the script says, it finds by a name of its own making (`say`, page.js); tabler reads its own.
SAID = re.compile(r"say-|bs-")


@cache
def text_of(folder: str, *ends: str) -> str:
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in ends)
    kept = sorted(path for path in found if not {"vendor", "migrations"} & {*path.parts})
    return "\n".join(path.read_text() for path in kept)


def pages() -> str:
    return "\n".join(
        [text_of("templates", ".html", ".txt"), *(text_of(app, ".py") for app in APPS)]
    )


def script() -> str:
    return text_of("static", ".js")


def selectors() -> str:
    plain = re.sub(r"/\*.*?\*/", "", text_of("static", ".css"), flags=re.S)
    return re.sub(r"\{[^{}]*\}|\"[^\"]*\"", " ", plain)


def test_every_class_of_the_stylesheet_is_used():
    used = {*WORD.findall(pages()), *WORD.findall(script())}
    styled = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", selectors()))
    assert sorted(name for name in styled - used if not PIECED.match(name)) == []


def test_every_template_is_asked_for():
    asked = pages()
    names = (path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*"))
    assert sorted(name for name in names if name not in asked and not BY_RULE.fullmatch(name)) == []


def test_what_pages_write_for_the_script_is_read_and_the_other_way_round():
    def in_script(name: str) -> str:
        return re.sub(r"-(\w)", lambda letter: letter.group(1).upper(), name)

    written = set(re.findall(r"\bdata-([a-z][\w-]*)", pages()))
    # {% field … data_selects=1 %}, and what Python puts on a widget.
    written |= {name.replace("_", "-") for name in re.findall(r"\bdata_(\w+)=", pages())}
    readers = script() + text_of("static", ".css")
    unread = {name for name in written if f"data-{name}" not in readers}
    unread -= {name for name in unread if re.search(rf"dataset\.{in_script(name)}\b", readers)}
    assert sorted(name for name in unread if not SAID.match(name)) == []
    sought = set(re.findall(r"\[data-([a-z][\w-]*)", readers))
    # The script itself puts these on.
    own = set(re.findall(r"(?:toggle|set)Attribute\(\"data-([\w-]+)\"", script()))
    assert sorted(sought - written - own - {"bs-theme"}) == []
    said = {in_script(name) for name in written if name.startswith("say-")}
    told = {f"say{key}" for key in re.findall(r"\bsay\(\"(\w+)\"\)", script())}
    assert said == told


def test_every_export_of_a_module_is_brought_in_by_another():
    modules = {path.name: path.read_text() for path in (ROOT / "static" / "portal").glob("*.js")}
    brought = set()
    for text in modules.values():
        for names in re.findall(r"^import \{([^}]*)\}", text, re.M):
            brought |= {name.strip() for name in names.split(",")}
    exported = re.findall(
        r"^export (?:async )?(?:function|const|let|class) (\w+)", "\n".join(modules.values()), re.M
    )
    assert sorted({*exported} - brought) == []
