"""Settings; whatever differs between machines comes from the environment or from `.env`."""

import os
import tempfile
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

DEBUG: bool = env.bool("DEBUG", default=False)
SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: `make setup` writes it into .env (README.md, “To production”)."
    )
# Keys that encrypt tokens at rest, newest first: add one in front to rotate.
SALT_KEY: list[str] = env.list("SALT_KEY", default=[SECRET_KEY])
# Keys that seal the books, newest first: add one in front to rotate (`manage.py rotate_books_key`),
# and keep the old ones, which verify what they sealed. Without any, one made from SECRET_KEY does.
BOOKS_KEYS: list[str] = [key for key in env.list("BOOKS_KEYS", default=[]) if key]
# A file outside the database to which the heads of the books are written; empty: only to the log.
BOOKS_ANCHORS: str = env.str("BOOKS_ANCHORS", default=str(VAR_DIR / "books-anchors.log"))
# Where the yearly archives of the books lie that somebody asked for in the browser: a folder that
# web and worker share.
ARCHIVES_DIR: str = env.str("ARCHIVES_DIR", default=str(VAR_DIR / "archives"))
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach the portal: links in mails start with it.
BASE_URL: str = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
# The demo has example logins on the sign-in page and may talk to a provider on this machine. A
# system check (accounts/checks.py) refuses it where others reach the portal.
DEMO: bool = env.bool("DEMO", default=False)
# Shown on the sign-in page of the demo, where it belongs to every example login.
DEMO_PASSWORD = "kerlann-demo" if DEMO else ""

INSTALLED_APPS = [
    "billing_portal.accounts",
    "invoices",
    "integrations",
    "reports",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "django_q",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "billing_portal.htmx.HtmxLoginMiddleware",
    "billing_portal.accounts.middleware.ReaderLanguageMiddleware",
    "billing_portal.accounts.middleware.PrivatePagesMiddleware",
    "billing_portal.accounts.middleware.JustActedMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "billing_portal.urls"
WSGI_APPLICATION = "billing_portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "billing_portal.templatetags.portal",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billing_portal.navigation.shell",
            ],
        },
    }
]
# Fields are drawn by templates/django/forms/widgets, and by Django's own where there is none.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


# ─ Data ─────────────────────────────────────────────────────────────────────────────────────────
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'portal.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue instead of failing with "database is locked" (docs/architecture.md).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, not memory: threads and worker processes of the tests share it.
    _database["TEST"] = {
        "NAME": str(Path(tempfile.gettempdir()) / f"portal-test-{os.getpid()}.sqlite3")
    }
    Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The proxy that requests to a provider go through; one of the environment is not taken, for it
# would connect for us to machines that the portal itself refuses to talk to.
PROVIDER_PROXY: str = env.str("PROVIDER_PROXY", default="")
# The register of VAT ids, which staff ask about a client's; the demo asks its stand-in.
VIES_URL: str = env.str("VIES_URL", default="https://ec.europa.eu/taxation_customs/vies/rest-api")
REDIS_URL: str = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {
            "BACKEND": "billing_portal.accounts.limits.CacheOfOneProcess",
            "LOCATION": "portal",
        }
    ),
    # Counts of failed logins without Redis (accounts/limits.py); nothing else.
    "limits": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "login_limits",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}
SESSION_ENGINE = (
    "django.contrib.sessions.backends.cached_db"
    if REDIS_URL
    else ("django.contrib.sessions.backends.db")
)

# ─ Background work: the queue is a table of the same database, so enqueueing commits with a change.
Q_CLUSTER: dict[str, Any] = {
    "name": "portal",
    "label": "Background work",
    "orm": "default",
    "workers": env.int("WORKERS", default=2),
    "timeout": 1800,
    "retry": 2400,
    "max_attempts": 3,
    "ack_failures": False,
    "catch_up": False,
    "poll": 0.5,
    "bulk": 4,
    "queue_limit": 8,
    "save_limit": -1,
    "max_rss": 1_500_000,
}

# ─ People ───────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "billing_portal.accounts.roles.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "reports:desk"
ACCOUNT_ADAPTER = "billing_portal.accounts.adapter.ClosedSignUp"
# Five for one account; more for an address, behind which a whole office may sit.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,5/300s/key"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Behind a proxy all requests come from its address: without this, one person's failed logins would
# lock everybody out. Never more than there are: a client could then write its own address.
ALLAUTH_TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXIES", default=0)
# Nobody outside the house gets a mail because somebody typed their address.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False

# ─ Words and days ───────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "billing_portal" / "locale"]
TIME_ZONE: str = env.str("TIME_ZONE", default="Europe/Paris")
USE_TZ = True

# ─ Files ────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "billing_portal.static_files.HashedModules"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# The largest file that a page accepts; larger ones are refused while they arrive.
MAX_UPLOAD_BYTES = 20 * 2**20
FILE_UPLOAD_HANDLERS = [
    "billing_portal.uploads.BoundedUpload",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# ─ Mail: EMAIL_URL is `smtp://user:password@host:587?tls=True`, `consolemail://` … ────────────────
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
if DEMO and "EMAIL_URL" not in os.environ:
    # The demo has no mail server: what it sends are files.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
EMAIL_TIMEOUT = 20
# The demo's company writes under its own name (integrations/management/commands/demo.py).
DEFAULT_FROM_EMAIL: str = env.str(
    "DEFAULT_FROM_EMAIL",
    default="Kerlann Conseil <facturation@kerlann.example>"
    if DEMO
    else "Billing <billing@localhost>",
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# ─ Security ─────────────────────────────────────────────────────────────────────────────────────
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    }
}
# Only the stored PDF says otherwise: the invoice page shows it in a frame.
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
HTTPS_ONLY: bool = env.bool("HTTPS_ONLY", default=True)
if not DEBUG:
    SECURE_SSL_REDIRECT = HTTPS_ONLY
    SESSION_COOKIE_SECURE = HTTPS_ONLY
    CSRF_COOKIE_SECURE = HTTPS_ONLY
    SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
    SECURE_HSTS_PRELOAD = HTTPS_ONLY
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# ─ Logs: ids and numbers, never tokens or bank data ─────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"without_keys": {"()": "billing_portal.log_filters.WithoutKeys"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_keys"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "fontTools": {"level": "WARNING"},
        "xhtml2pdf": {"level": "WARNING"},
        "pikepdf": {"level": "WARNING"},
        "django-q": {"level": env.str("LOG_LEVEL", default="INFO")},
    },
}
