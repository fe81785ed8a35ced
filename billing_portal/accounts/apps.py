from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "billing_portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        from billing_portal.accounts import checks  # noqa: F401 - registers them
