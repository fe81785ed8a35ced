"""Providers we are connected to, what came from them, and how each import went."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from encrypted_fields.fields import EncryptedTextField

from billing_portal.notices import all_in_words, in_words


class Provider(models.TextChoices):
    PIPEDRIVE = "pipedrive", "Pipedrive"
    PLATFORM = "platform", _("Approved platform")


class Connection(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active", _("Connected")
        PAUSED = "paused", _("Needs you")

    provider = models.CharField(max_length=20, choices=Provider, unique=True)
    base_url = models.URLField(_("address"), max_length=300)
    # Where a platform keeps its directory, when that is another place.
    directory_url = models.URLField(_("address of the directory"), max_length=300, blank=True)
    # A token that lasts, or else a login that gives short ones (OAuth 2, client credentials).
    # Encrypted columns keep nothing as null.
    api_token = EncryptedTextField(_("API token"), null=True, blank=True)
    token_url = models.URLField(_("address of the login"), max_length=300, blank=True)
    client_id = models.CharField(_("client id"), max_length=200, blank=True)
    client_secret = EncryptedTextField(_("client secret"), null=True, blank=True)
    # The short one in use, until when, and whose turn it is to fetch the next.
    access_token = EncryptedTextField(null=True, blank=True)
    access_until = models.DateTimeField(null=True, blank=True)
    access_claimed_until = models.DateTimeField(null=True, blank=True)
    # What the provider has to show when it calls us; without it it may not.
    hook_secret = EncryptedTextField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    # Why it rests and what to do: code and values; an older row has a sentence.
    pause = models.JSONField(null=True, blank=True)
    pause_reason = models.TextField(blank=True)
    account_name = models.CharField(max_length=255, blank=True)
    account_domain = models.CharField(max_length=255, blank=True)
    # Where the next incremental sync starts, per kind of object: {"deals": "2026-11-24T06:00:00Z"}
    cursors = models.JSONField(default=dict, blank=True)
    # What a person must say something about: {"deal": {"missing": 480, "all": 1200}}
    missing = models.JSONField(default=dict, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.get_provider_display()

    @property
    def pause_text(self) -> str:
        return in_words(self.pause or self.pause_reason)


class InboundEvent(models.Model):
    """The provider called: a hint that something changed, once, and nothing that is believed."""

    provider = models.CharField(max_length=20, choices=Provider)
    # SHA-256 of what was sent: the same said twice is one.
    event_id = models.CharField(max_length=64)
    # The provider's number of the object, as it says.
    about = models.CharField(max_length=60, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    # When the provider was asked after it came.
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="an_event_is_kept_once"),
        ]
        indexes = [
            models.Index(
                fields=["provider"], name="event_to_answer", condition=Q(answered_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.about}"


class ExternalLink(models.Model):
    """One object of the provider is one row of ours, both ways."""

    provider = models.CharField(max_length=20, choices=Provider)
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    # The primary key of our row; `kind` says of which table.
    local_id = models.BigIntegerField()
    # The provider's own stamp of its last change, and a hash of what we read: the same is skipped.
    external_updated_at = models.CharField(max_length=40, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    # Since when the owner of the token sees it no longer, though nothing says that it is deleted.
    hidden_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "external_id"],
                name="one_external_object_links_to_one_local_object",
            ),
        ]
        indexes = [models.Index(fields=["provider", "kind", "local_id"], name="link_local")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.external_id}"


class ExternalField(models.Model):
    """A field of the provider, with its options; `code` is 40 characters for a custom one."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="fields")
    entity = models.CharField(max_length=20)
    code = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    field_type = models.CharField(max_length=30)
    is_custom = models.BooleanField(default=False)
    # [{"id": 17, "label": "SME"}, …]
    options = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["entity", "-is_custom", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "entity", "code"], name="one_row_per_external_field"
            )
        ]

    def __str__(self) -> str:
        return self.name


class FieldMapping(models.Model):
    """Which field of the provider holds a value of ours."""

    class Target(models.TextChoices):
        CLIENT_TYPE = "client_type", _("Client type")
        VAT_ID = "vat_id", _("VAT id")
        SIREN = "siren", _("SIREN")
        PAYMENT_TERMS = "payment_terms", _("Payment terms")
        BILLING_EMAIL = "billing_email", _("Billing email")
        LANGUAGE = "language", _("Language of documents")
        PURCHASE_ORDER = "purchase_order", _("Purchase order")
        SERVICE_PERIOD = "service_period", _("Service period")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="mappings")
    target = models.CharField(max_length=20, choices=Target)
    entity = models.CharField(max_length=20)
    code = models.CharField(max_length=80)
    # Option id → our value (a client type's pk, "net:30", "eom_after:45").
    options = models.JSONField(default=dict, blank=True)
    # Options that came in and stand for nothing here yet, each with an object that has it.
    unknown = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "target"], name="one_source_per_mapped_value"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target} ← {self.entity}.{self.code}"


class SyncRun(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting for the worker")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Stopped")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    full = models.BooleanField(default=False)
    # Somebody asked that each object no longer seen be looked up, however many they are.
    check_missing = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    step = models.CharField(max_length=30, blank=True)
    # {"deals": {"done": 500, "total": 1480}, …}: total is null while unknown
    progress = models.JSONField(default=dict, blank=True)
    # Where to go on after a crash: step and the provider's cursor.
    resume = models.JSONField(default=dict, blank=True)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    # Why it stopped: code and values; an older row has a sentence.
    failure = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # A sign of life; a run that gave none for minutes may be taken over.
    beat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-queued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state__in=["queued", "running"]),
                name="one_sync_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.queued_at:%Y-%m-%d %H:%M}"

    @property
    def failure_text(self) -> str:
        return in_words(self.failure or self.error)


class SyncRefusal(models.Model):
    """An object that a run could not take, or not whole, and why."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="refusals")
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    label = models.CharField(max_length=255, blank=True)
    # Codes and values; an older row has sentences.
    notices = models.JSONField(default=list, blank=True)
    reason = models.TextField(blank=True)
    # It was taken, with something left out or changed: a notice.
    taken = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"

    @property
    def text(self) -> str:
        return all_in_words(self.notices) or self.reason
