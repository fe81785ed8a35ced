"""Connect a provider from the shell."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.connecting import ConnectRefused, connect_crm, connect_platform
from integrations.models import Connection, Provider
from integrations.registry import CRMS


class Command(BaseCommand):
    help = "Connects a provider with an API token, after trying the token."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", choices=Provider.values)
        parser.add_argument(
            "--base-url", required=True, help="for example https://yourcompany.pipedrive.com"
        )
        parser.add_argument(
            "--api-token", default="", help="or in the environment as PROVIDER_API_TOKEN"
        )
        parser.add_argument("--token-url", default="", help="of a platform with a login (OAuth 2)")
        parser.add_argument("--client-id", default="", help="of that login")
        parser.add_argument(
            "--client-secret", default="", help="or in the environment as PROVIDER_CLIENT_SECRET"
        )
        parser.add_argument("--directory-url", default="", help="of a platform, where it differs")
        parser.add_argument("--name", default="", help="what a platform is called here")
        parser.add_argument("--dry-run", action="store_true", help="try the token, keep nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["provider"].upper()
        variable = f"{prefix}_API_TOKEN"
        token = options["api_token"] or os.environ.get(variable, "")
        secret = options["client_secret"] or os.environ.get(f"{prefix}_CLIENT_SECRET", "")
        options["client_secret"] = secret if options["token_url"] else ""
        if options["token_url"]:
            token = options["api_token"]
        elif not token:
            raise CommandError(f"Give --api-token, or {variable} in the environment.")
        try:
            connection = self.connect(token, options)
        except ConnectRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["format"] == "json":
            shown = {
                "provider": connection.provider,
                "account": connection.account_name,
                "base_url": connection.base_url,
            }
            self.stdout.write(json.dumps(shown, ensure_ascii=False))
        else:
            done = "Would connect" if options["dry_run"] else "Connected"
            self.stdout.write(
                f"{done} to {connection}: {connection.account_name or connection.base_url}."
            )

    def connect(self, token: str, options: dict[str, Any]) -> Connection:
        if options["provider"] in CRMS:
            return connect_crm(
                base_url=options["base_url"],
                api_token=token,
                dry_run=options["dry_run"],
                provider=CRMS[Provider(options["provider"])],
            )
        return connect_platform(
            base_url=options["base_url"],
            api_token=token,
            directory_url=options["directory_url"],
            account_name=options["name"],
            token_url=options["token_url"],
            client_id=options["client_id"],
            client_secret=options["client_secret"],
            dry_run=options["dry_run"],
        )
