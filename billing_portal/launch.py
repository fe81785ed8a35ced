"""`make run`: load the demo once, then start web, worker and stand-in together.

Ctrl-C, or a signal to this process, ends them all. A second start keeps the data.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import date
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from honcho.manager import Manager

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
PYTHON = sys.executable
LOGINS = [
    ("finance@kerlann.example", "Finance: bills, records payments, watches"),
    ("manager@kerlann.example", "Manager: reads reports, lists and invoices"),
    ("yann.legoff@kerlann.example", "Sales: reads the deals and invoices they own"),
    ("admin@kerlann.example", "Administrator: people, company, connections"),
]


class Together(Manager):  # type: ignore[misc] # honcho has no types
    """Web, worker and stand-in; each is asked to end by its first process, which ends its own.

    Honcho asks the whole group. A worker whose guard is ended with it waits for it for ever, and a
    mail is cut off half-way.
    """

    _terminating: bool

    def add(self, name: str, command: list[str], env: dict[str, str]) -> None:
        # What each says is shown, an error of a page above all; that it starts is no news.
        line = f"exec {shlex.join(command)}"
        self.add_process(name, line, env=env, cwd=str(ROOT))

    def terminate(self) -> None:
        if self._terminating:
            return
        self._terminating = True
        for process in self._processes.values():
            if "pid" in process and "returncode" not in process:
                with suppress(ProcessLookupError):
                    os.kill(process["pid"], signal.SIGTERM)


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit(f"No free port from {wanted} on: end what listens there, or set PORT.")


def answers(url: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
    return False


def manage(*arguments: str, env: dict[str, str]) -> None:
    done = subprocess.run([PYTHON, "manage.py", *arguments], cwd=ROOT, env=env)  # noqa: S603
    if done.returncode:
        sys.exit(done.returncode)


def sandbox_command(port: int, today: str, platform_port: int, vies_port: int = 0) -> list[str]:
    command = [PYTHON, "-m", "integrations.sandbox", "--port", str(port), "--today", today]
    command += ["--platform-port", str(platform_port)]
    return [*command, "--vies-port", str(vies_port)] if vies_port else command


def environment(address: str, vies_port: int) -> dict[str, str]:
    """What web and worker are told; VIES is asked of its stand-in, never of the real one."""
    return {
        **os.environ,
        "BASE_URL": address,
        "VIES_URL": f"http://127.0.0.1:{vies_port}/taxation_customs/vies/rest-api",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "ERROR"),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def stand_in(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: S603
    try:
        if not answers(f"http://127.0.0.1:{port}/", 30):
            sys.exit("The stand-in for Pipedrive did not start; its message stands above.")
        yield
    finally:
        process.terminate()
        process.wait(10)


def collect_static(env: dict[str, str]) -> None:
    newest = max(path.stat().st_mtime for path in (ROOT / "static").rglob("*") if path.is_file())
    made = VAR / "static" / "staticfiles.json"
    if not made.exists() or made.stat().st_mtime < newest:
        manage("collectstatic", "--noinput", "--verbosity", "0", env=env)


def refuse_a_real_portal() -> None:
    if not settings.DEMO:
        sys.exit(
            "This portal is not the demo (DEMO is not true in .env or the environment), and "
            "`make run` shows the demo only. README.md, “To production”, says how a real portal is "
            "started. To see the demo here, put .env and var aside first."
        )


def load_demo(
    memory: Path,
    told: dict[str, Any],
    today: str,
    sandbox_port: int,
    platform_port: int,
    env: dict[str, str],
) -> None:
    """The first time the whole story; later, where the stand-ins moved, their new addresses."""
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    platform_url = f"http://127.0.0.1:{platform_port}"
    ports = {"sandbox_port": sandbox_port, "platform_port": platform_port}
    if {name: told.get(name) for name in ports} != ports:
        with stand_in(sandbox_command(sandbox_port, today, platform_port), sandbox_port):
            if told:
                for name, url in (("pipedrive", sandbox_url), ("platform", platform_url)):
                    connect = ["connect", name, "--base-url", url]
                    manage(*connect, "--api-token", "sandbox-token", env=env)
            else:
                where = ["--base-url", sandbox_url, "--platform-url", platform_url]
                manage("demo", *where, "--on", today, env=env)
        memory.write_text(json.dumps({"today": today, **ports}))


def main() -> None:
    refuse_a_real_portal()
    django.setup()
    call_command("migrate", verbosity=0)
    VAR.mkdir(exist_ok=True)
    port = free_port(int(os.environ.get("PORT", "8000")))
    sandbox_port = free_port(int(os.environ.get("SANDBOX_PORT", "8899")))
    address = f"http://127.0.0.1:{port}"
    vies_port = free_port(sandbox_port + 1)
    platform_port = free_port(vies_port + 1)
    env = environment(address, vies_port)
    collect_static(env)

    # The stand-in makes its company up from a day; a later start must tell the same story.
    memory = VAR / "demo.json"
    told = json.loads(memory.read_text()) if memory.exists() else {}
    today = told.get("today") or date.today().isoformat()
    load_demo(memory, told, today, sandbox_port, platform_port, env)
    # In this process, which has Django loaded: a process for each would double the wait.
    with redirect_stdout(io.StringIO()):
        call_command("sync_schedules")
    connections.close_all()

    processes = Together()
    web = [
        PYTHON, "-m", "gunicorn", "billing_portal.wsgi", "--bind", f"127.0.0.1:{port}",
        "--workers", "2", "--threads", "4", "--log-level", "warning", "--preload",
    ]  # fmt: skip
    for name, command in {
        "web": web,
        "worker": [PYTHON, "manage.py", "qcluster"],
        "stand-in": sandbox_command(sandbox_port, today, platform_port, vies_port),
    }.items():
        processes.add(name, command, env)

    def welcome() -> None:
        if not answers(f"{address}/accounts/login/", 60):
            return
        lines = [
            "",
            f"  The billing portal is at  {address}",
            "",
            *(f"    {email:<30} {what}" for email, what in LOGINS),
            f"    The password of each is        {settings.DEMO_PASSWORD}",
            "",
            f"  Mails that it sends are files in {VAR / 'mail'}; Ctrl-C ends everything.",
            "",
        ]
        print("\n".join(lines), flush=True)  # noqa: T201

    threading.Thread(target=welcome, daemon=True).start()
    processes.loop()
    # 130 and 143: Ctrl-C and SIGTERM, the ways it is meant to end.
    sys.exit(0 if processes.returncode in (130, 143) else processes.returncode)


if __name__ == "__main__":
    main()
