"""The demo and plain HTTP are named before they reach a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.core import checks

from billing_portal.accounts.checks import demo_stays_here, ready_for_a_real_server

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def real(settings):
    settings.DEBUG = settings.DEMO = False
    settings.HTTPS_ONLY = True
    settings.BOOKS_KEYS = ["a key of the books, long enough to be one"]
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    settings.BASE_URL = "https://billing.example.com"
    return settings


def ids(found):
    return [each.id for each in found]


def test_a_real_server_set_up_as_the_readme_says_hears_nothing(real):
    assert demo_stays_here() == ready_for_a_real_server() == []


def test_the_demo_on_this_machine_hears_nothing(real):
    real.DEMO, real.HTTPS_ONLY = True, False
    real.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert demo_stays_here() == []


@pytest.mark.parametrize("host", ["billing.example.com", "*", ".example.com", "10.0.0.7"])
def test_the_demo_that_others_reach_is_an_error_for_every_command(real, host):
    real.DEMO, real.ALLOWED_HOSTS = True, ["localhost", host]
    (found,) = demo_stays_here()
    assert (found.id, found.level) == ("portal.E001", checks.ERROR)
    assert host in found.msg


def test_plain_http_that_others_reach_is_a_warning_for_every_command(real):
    real.HTTPS_ONLY = False
    assert ids(demo_stays_here()) == ["portal.W001"]


def test_the_check_before_deployment_refuses_what_the_demo_writes(real):
    real.DEMO, real.HTTPS_ONLY, real.BASE_URL = True, False, "http://127.0.0.1:8000"
    assert ids(ready_for_a_real_server()) == ["portal.E002", "portal.E003", "portal.W002"]


def deploy(**environment):
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            # The browser tests of the same process set it, which a real server must not.
            **{k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"},
            "DJANGO_SETTINGS_MODULE": "billing_portal.settings",
            "SECRET_KEY": "k" + "3vXq" * 20,
            "SALT_KEY": "s",
            "BOOKS_KEYS": "b" + "7Kdm" * 10,
            "DEBUG": "false",
            "DEMO": "false",
            "HTTPS_ONLY": "true",
            "ALLOWED_HOSTS": "billing.example.com",
            "BASE_URL": "https://billing.example.com",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_deploy_as_a_program_passes_the_real_and_fails_the_demo():
    assert deploy().returncode == 0
    demo = deploy(DEMO="true", HTTPS_ONLY="false")
    assert demo.returncode != 0
    assert "DEMO is true" in demo.stderr
    assert "HTTPS_ONLY is false" in demo.stderr


def test_without_a_secret_key_there_is_a_sentence():
    done = deploy(SECRET_KEY="")
    assert done.returncode != 0
    assert "SECRET_KEY is not set: `make setup` writes it" in done.stderr


@pytest.mark.parametrize(("asked", "demo"), [([], False), (["--demo"], True)])
def test_set_up_writes_only_keys_and_the_demo_says_that_it_is_one(tmp_path, asked, demo):
    script = tmp_path / "scripts" / "write_env.py"
    script.parent.mkdir()
    script.write_text((ROOT / "scripts" / "write_env.py").read_text())
    for _twice in range(2):
        subprocess.run([sys.executable, str(script), *asked], check=True, capture_output=True)
    written = (tmp_path / ".env").read_text()
    names = [line.partition("=")[0] for line in written.splitlines() if not line.startswith("#")]
    assert names == [
        "SECRET_KEY",
        "SALT_KEY",
        "BOOKS_KEYS",
        *(["DEMO", "HTTPS_ONLY"] if demo else []),
    ]
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_tools_need_no_env_of_their_own():
    """mypy ended in an internal error before set-up had written one."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    name = tools["django-stubs"]["django_settings_module"]
    assert name == tools["pytest"]["ini_options"]["DJANGO_SETTINGS_MODULE"]
    without = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": name}
    unread = "import environ; environ.Env.read_env = lambda *_a, **_k: None"
    code = f"{unread}; import django; django.setup()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=without,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("demo", "sender"),
    [("true", "Kerlann Conseil <facturation@kerlann.example>"), ("false", "Billing <billing@")],
)
def test_the_mails_of_the_demo_come_from_its_company(demo, sender):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from billing_portal import settings as s; print(s.DEFAULT_FROM_EMAIL)",
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": "k" * 50, "DEMO": demo},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(sender)
