"""Django's settings: from the environment only, with the embedded default beside each.

Without any variable everything runs on this machine inside WINNOW_DATA. `annotator/environment.py` lists them all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import environ

from annotator import environment, keys

BASE_DIR = Path(__file__).resolve().parent.parent
DATA: Path = environment.read("WINNOW_DATA")

SECRET_KEY: str = environment.read("SECRET_KEY") or keys.read_or_make(DATA / "keys" / "secret_key")
HELD_OUT_KEY: bytes = environment.read("HELD_OUT_KEY") or bytes.fromhex(
    keys.read_or_make(DATA / "keys" / "held_out_key")
)

DEBUG: bool = environment.read("DEBUG")
HOST: str = environment.read("HOST")
PORT: int = environment.read("PORT")
ALLOWED_HOSTS: list[str] = environment.read("ALLOWED_HOSTS")
WEB_THREADS: int = environment.read("WEB_THREADS")
WEB_PROCESSES: int = environment.read("WEB_PROCESSES")
WORKER_PROCESSES: int = environment.read("WORKER_PROCESSES")
MAX_LINE_BYTES: int = environment.read("MAX_LINE_MIB") * 2**20
MAX_UPLOAD_BYTES: int = environment.read("MAX_UPLOAD_MIB") * 2**20
SHARD_BYTES: int = environment.read("SHARD_MIB") * 2**20

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "axes",
    "reviews",
]
MIDDLEWARE = [
    "annotator.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "annotator.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "reviews.web.answers.WinnowErrors",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "annotator.urls"
WSGI_APPLICATION = "annotator.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Without DATABASE_URL: one file on this machine, safe for a few writers at once.
DATABASES: dict[str, dict[str, Any]] = {
    "default": environ.Env.db_url_config(
        environment.read("DATABASE_URL") or f"sqlite:///{DATA / 'winnow.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a read that turns into a write would fail with SQLITE_BUSY
        "timeout": 20,
        # FULL: no decision is ever lost, also when the power goes. recursive_triggers: else REPLACE passes the
        # triggers that keep frozen rows.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
            "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000; "
            "PRAGMA journal_size_limit=67108864;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "reviews.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours: long enough against guessing, short enough for a person who forgot
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

HTTPS: bool = environment.read("HTTPS")
# Two instances on one host share its cookies, whatever their ports: the folder's hash keeps them apart.
_FOLDER = hashlib.sha256(str(DATA).encode()).hexdigest()[:8]
SESSION_COOKIE_NAME = f"winnow_session_{_FOLDER}"
CSRF_COOKIE_NAME = f"winnow_csrf_{_FOLDER}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in ALLOWED_HOSTS if name != "*"] if HTTPS else []
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20  # a verdict with many spans; files are streamed and do not count
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# English is what the code is written in; a person's choice is kept in a cookie, else their browser decides.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "annotator.formats"
LANGUAGE_COOKIE_NAME = f"winnow_language_{_FOLDER}"
LANGUAGE_COOKIE_AGE = 365 * 86400
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_SAMESITE = HTTPS, "Lax"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE: str = environment.read("TIME_ZONE")

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic on the way to the first page
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "annotator.static_files.HashedQueryStorage"},
}
UPLOADS = DATA / "uploads"
EXPORTS = DATA / "exports"
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_PERMISSIONS = 0o600

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "reviews.api.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "reviews.api.pagination.ByCursor",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["reviews.api.throttling.PerCaller"],
    "DEFAULT_THROTTLE_RATES": {"caller": "100/second"},  # far above what a team does
    "EXCEPTION_HANDLER": "reviews.api.problems.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Winnow",
    "DESCRIPTION": "Review sampled reasoning traces and export the accepted ones.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# Without CELERY_BROKER_URL: the broker that `serve` owns, on a socket in WINNOW_DATA that only this user can open.
EMBEDDED_BROKER: bool = (environment.read("CELERY_BROKER_URL") or "filesystem:").startswith("filesystem:")
BROKER_SOCKET = DATA / "broker" / "redis.sock"
if len(str(BROKER_SOCKET)) > 100:  # the system takes no longer path for a socket
    BROKER_SOCKET = Path(tempfile.gettempdir()) / f"winnow-{os.getuid()}-{_FOLDER}" / "redis.sock"
CELERY_BROKER_URL: str = environment.read("CELERY_BROKER_URL") or f"redis+socket://{BROKER_SOCKET}"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True  # the job's row is the truth; nobody polls a result
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 21600,  # a longer task would be delivered twice
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # An enqueue while the broker is away fails quickly: the job's row is kept and the sweep rings again.
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
}
if CELERY_BROKER_URL.startswith("filesystem:"):
    # Neither redis-server nor the wheel's binary: folders. It drops the message of a killed worker, which costs
    # nothing here because the job's row is the truth and is rung for again.
    _FOLDERS = {name: str(DATA / "broker" / "messages") for name in ("data_folder_in", "data_folder_out")}
    (DATA / "broker" / "messages").mkdir(parents=True, exist_ok=True, mode=0o700)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        **_FOLDERS,
        "control_folder": str(DATA / "broker"),
        "polling_interval": 0.05,
    }
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "reviews.tasks.sweep_jobs", "schedule": 30.0},
    "seal-log": {"task": "reviews.tasks.seal_log", "schedule": 300.0},
}
JOB_HEARTBEAT_SECONDS = 1.0
JOB_STALE_SECONDS = 20.0
WORKER_STALE_SECONDS = 4.0

LOGGING_CONFIG = "annotator.logs.configure"
LOGGING = {"level": environment.read("LOG_LEVEL"), "format": environment.read("LOG_FORMAT")}
