"""A mail server on this machine; the fixture `postbox` runs one for a test."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import contextmanager
from email import policy
from email.parser import BytesParser

from aiosmtpd.controller import Controller


class Postbox:
    """A mail server that keeps what it took; each answer can be changed."""

    def __init__(self):
        self.mails = []
        self.envelopes = []
        self.on_mail = self.on_data = None
        self.on_rcpt = {}
        self.hold = self.holding = None
        self.conversations = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.conversations += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.on_mail == "hang up":
            server.transport.abort()
        elif self.on_mail:
            return self.on_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if words := self.on_rcpt.get(address):
            return words
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.on_data and self.on_data != "take and hang up":
            return self.on_data
        self.mails.append(BytesParser(policy=policy.default).parsebytes(envelope.content))
        self.envelopes.append(list(envelope.rcpt_tos))
        if self.holding:
            self.holding.set()
            while not self.hold.is_set():
                await asyncio.sleep(0.02)
        if self.on_data == "take and hang up":
            server.transport.abort()
        return "250 Taken"


@contextmanager
def open_postbox(settings):
    """It runs, and the portal's mails go to it."""
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    settings.DEFAULT_FROM_EMAIL = "Kerlann Conseil <billing@kerlann.example>"
    box.port = port
    try:
        yield box
    finally:
        server.stop()


def smtp_environment(postbox):
    return {
        "EMAIL_URL": f"smtp://127.0.0.1:{postbox.port}",
        "DEFAULT_FROM_EMAIL": "Kerlann Conseil <billing@kerlann.example>",
    }


def wait_until(true, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never became true")
