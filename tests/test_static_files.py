"""The script in production: its modules find each other under their hashed names."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import call_command

from billing_portal import settings as site

MODULES = Path(django_settings.BASE_DIR) / "static" / "portal"
IMPORT = re.compile(r'^import ?(?:\{[^}]*\} from )?"([^"]+)";$', re.M)


@pytest.fixture
def collected(settings, tmp_path):
    """The static files as a production server collects them."""
    backend = "billing_portal.static_files.HashedModules"
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_production_serves_the_storage_that_rewrites_imports():
    source = Path(site.__file__).read_text()
    assert 'else "billing_portal.static_files.HashedModules"' in source


def test_every_import_is_written_in_the_one_form_that_is_rewritten():
    for module in MODULES.glob("*.js"):
        lines = re.findall(r"^import .*|^export .* from .*", module.read_text(), re.M)
        assert len(lines) == len(IMPORT.findall(module.read_text())), module.name
        assert all(name.startswith("./") for name in IMPORT.findall(module.read_text()))
        assert "import(" not in module.read_text(), module.name


def test_every_module_is_reached_and_none_is_imported_in_a_circle():
    needs = {m.name: [n[2:] for n in IMPORT.findall(m.read_text())] for m in MODULES.glob("*.js")}
    reached: list[str] = []

    def walk(name, above):
        assert name not in above, [*above, name]
        reached.append(name)
        for below in needs[name]:
            walk(below, (*above, name))

    walk("main.js", ())
    assert set(reached) == set(needs)


def test_the_head_asks_for_every_module_at_once():
    """Else each is asked for when its importer has come, and htmx waits for the last of them."""
    head = (Path(django_settings.BASE_DIR) / "templates/partials/head.html").read_text()
    asked = re.findall(r"modulepreload\" href=\"\{% static 'portal/(\w+\.js)'", head)
    assert sorted([*asked, "main.js"]) == sorted(module.name for module in MODULES.glob("*.js"))


def test_hashed_modules_import_hashed_modules(collected):
    main = staticfiles_storage.url("portal/main.js").removeprefix(settings_url())
    assert re.fullmatch(r"portal/main\.[0-9a-f]{12}\.js", main)
    waiting, seen = [collected / main], set()
    while waiting:
        module = waiting.pop()
        seen.add(module.name.split(".")[0])
        for name in IMPORT.findall(module.read_text()):
            assert re.fullmatch(r"\./\w+\.[0-9a-f]{12}\.js", name), (module.name, name)
            assert (module.parent / name).is_file()
            waiting.append(module.parent / name)
    assert seen == {module.stem for module in MODULES.glob("*.js")}


def test_an_address_is_worked_out_once_and_anew_when_the_files_are_collected(collected):
    first = staticfiles_storage.url("portal.css")
    assert re.search(r"/portal\.[0-9a-f]{12}\.css$", first)
    with mock.patch.object(ManifestFilesMixin, "stored_name", side_effect=AssertionError):
        assert staticfiles_storage.url("portal.css") == first
    staticfiles_storage.save_manifest()
    with mock.patch.object(ManifestFilesMixin, "stored_name", return_value="portal.new.css"):
        assert staticfiles_storage.url("portal.css").endswith("/portal.new.css")


@pytest.mark.parametrize(
    "name", ["htmx/htmx.min.js", "tabler/tabler.min.js", "plotly/plotly-basic.min.js"]
)
def test_what_others_wrote_passes_unchanged(name, collected):
    hashed = collected / staticfiles_storage.url(f"vendor/{name}").removeprefix(settings_url())
    assert hashed.read_bytes() == (MODULES.parent / "vendor" / name).read_bytes()


def settings_url() -> str:
    return "/" + django_settings.STATIC_URL.lstrip("/")
