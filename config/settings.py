"""Every setting of a Celeriac process, read from the environment once.

Sources, the first that names a value wins:

1. the process's environment; any name may instead be given as `NAME_FILE`, a file that holds it;
2. `.env` beside `manage.py`;
3. `CELERIAC_HOME/embedded.env`, written by `manage.py up` for the private servers it started.

`docs/reference/settings.md` describes each name; a test compares that table with this module.
"""

import sys
from pathlib import Path

import environ

from config.addresses import base_url, origin
from config.logs.configuration import log_format, logging_settings
from config.secret_key import secret_key
from config.storages import storages
from config.unfold import look

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
env.read_env(BASE_DIR / ".env")
CELERIAC_HOME = Path(env.str("CELERIAC_HOME", default=str(BASE_DIR / "var"))).resolve()
env.read_env(CELERIAC_HOME / "embedded.env")

# --- Web -------------------------------------------------------------------------------------
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
FLOWER_PORT = env.int("FLOWER_PORT", default=5555)
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])  # of the web process that `up` starts
WEB_THREADS = env.int("WEB_THREADS", default=16)  # of one web process, each with a connection
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SECRET_KEY = secret_key(env.str("SECRET_KEY", default=""), CELERIAC_HOME)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
STATIC_URL = "static/"
STATIC_ROOT = CELERIAC_HOME / "static"

INSTALLED_APPS = [
    "config",  # before unfold, whose first page it lays out anew
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin.apps.SimpleAdminConfig",  # config.admin_pages finds the pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_celery_results",
    "accounts",
    "jobs",
    "scheduling",
    "webhooks",
    "workloads",
    *env.list("CELERIAC_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.admin_requests.guard",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

# Where a person's browser finds the web process and Flower.
PUBLIC_URL = env.str("PUBLIC_URL", default=base_url(HOST, PORT))
FLOWER_PUBLIC_URL = env.str("FLOWER_PUBLIC_URL", default=base_url(HOST, FLOWER_PORT))
FLOWER_BASIC_AUTH = env.str("FLOWER_BASIC_AUTH", default="")  # `up` makes one
UNFOLD = look(flower_url=FLOWER_PUBLIC_URL)

LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day; then people sign in again
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
# Behind a proxy that speaks TLS; redirects to it and HSTS are the proxy's to send.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [origin(PUBLIC_URL)] if SESSION_COOKIE_SECURE else []
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": with it browsers send `Origin: null` with forms, which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Database: PostgreSQL 14 or newer --------------------------------------------------------
DATABASES = {
    "default": {
        **env.db("DATABASE_URL", default="postgres://127.0.0.1:5432/celeriac"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # No session state survives between transactions under PgBouncer, and neither do server-side
        # prepared statements; psycopg prepares none when the threshold is None.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed in seconds, not in hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "prepare_threshold": None,
    "application_name": f"celeriac {Path(sys.argv[0]).name}",
    **DATABASES["default"].get("OPTIONS", {}),
}

# --- API -------------------------------------------------------------------------------------
ADMIN_API_TOKEN = env.str("ADMIN_API_TOKEN", default="")  # empty: no such platform admin
API_MAX_BODY_BYTES = env.int("API_MAX_BODY_BYTES", default=1024 * 1024)
API_MAX_BATCH_BYTES = env.int("API_MAX_BATCH_BYTES", default=16 * 1024 * 1024)
FILES_MAX_BYTES = env.int("FILES_MAX_BYTES", default=50 * 1024 * 1024)
RATE_LIMIT_ENABLED = env.bool("RATE_LIMIT_ENABLED", default=True)
RATE_LIMIT_CREATE = env.str("RATE_LIMIT_CREATE", default="10/m")
RATE_LIMIT_BATCH = env.str("RATE_LIMIT_BATCH", default="5/m")
RATE_LIMIT_OTHER = env.str("RATE_LIMIT_OTHER", default="100/m")
RATE_LIMIT_TOKEN_CREATE = env.str("RATE_LIMIT_TOKEN_CREATE", default="")  # empty: the tenant's
RATE_LIMIT_TOKEN_BATCH = env.str("RATE_LIMIT_TOKEN_BATCH", default="")
RATE_LIMIT_TOKEN_OTHER = env.str("RATE_LIMIT_TOKEN_OTHER", default="")
LIVE_STREAMS = env.int("LIVE_STREAMS", default=2000)  # open at once in one web process
# Pages of these sites may call the API; none by default.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "last-event-id", "prefer",
    "x-request-id", "x-tenant",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "content-disposition", "content-range", "etag", "idempotent-replay", "location",
    "preference-applied", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining",
    "x-ratelimit-reset", "x-request-id",
]  # fmt: skip
if CORS_ALLOWED_ORIGINS:
    MIDDLEWARE.insert(0, "corsheaders.middleware.CorsMiddleware")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.negotiation.AlwaysTheFirst",
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.call.CallSchema",
    "EXCEPTION_HANDLER": "config.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is an unknown query parameter like any other
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Celeriac",
    "DESCRIPTION": "Durable jobs over REST: hand them in, watch them, cancel and retry them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "POSTPROCESSING_HOOKS": ["config.api.schema.whole.say_what_all_calls_share"],
}

# --- Schedules -------------------------------------------------------------------------------
SCHEDULE_MIN_INTERVAL_SECONDS = env.int("SCHEDULE_MIN_INTERVAL_SECONDS", default=60)
SCHEDULE_GRACE_SECONDS = env.float("SCHEDULE_GRACE_SECONDS", default=60.0)  # later: it was missed
SCHEDULES_PER_TENANT = env.int("SCHEDULES_PER_TENANT", default=10_000)  # 0: any number
ALERT_SCHEDULE_MISSED_SECONDS = env.float("ALERT_SCHEDULE_MISSED_SECONDS", default=3600.0)
RETENTION_FIRING_DAYS = env.float("RETENTION_FIRING_DAYS", default=90.0)

# --- Webhooks --------------------------------------------------------------------------------
WEBHOOK_CONCURRENCY = env.int("WEBHOOK_CONCURRENCY", default=16)  # requests at once, of a worker
WEBHOOK_TIMEOUT_SECONDS = env.float("WEBHOOK_TIMEOUT_SECONDS", default=10.0)  # of one request
WEBHOOK_TIMEOUT_LONGEST = 30  # that an endpoint may choose
WEBHOOK_MAX_ATTEMPTS = env.int("WEBHOOK_MAX_ATTEMPTS", default=3)
WEBHOOK_BACKOFF_SECONDS = env.float("WEBHOOK_BACKOFF_SECONDS", default=30.0)  # then it doubles
WEBHOOK_DISABLE_AFTER_SECONDS = env.float("WEBHOOK_DISABLE_AFTER_SECONDS", default=5 * 86_400.0)
WEBHOOK_ENDPOINTS_PER_TENANT = env.int("WEBHOOK_ENDPOINTS_PER_TENANT", default=100)  # 0: any number
RETENTION_DELIVERY_DAYS = env.float("RETENTION_DELIVERY_DAYS", default=30.0)

# --- Files that are handed in ----------------------------------------------------------------
FILES_DIR = env.str("FILES_DIR", default="") or str(CELERIAC_HOME / "files")
RETENTION_STATS_DAYS = env.float("RETENTION_STATS_DAYS", default=30.0)
RETENTION_DAYS = env.float("RETENTION_DAYS", default=30.0)
RETENTION_COMPLETED_DAYS = env.float("RETENTION_COMPLETED_DAYS", default=None)
RETENTION_FAILED_DAYS = env.float("RETENTION_FAILED_DAYS", default=None)
RETENTION_CANCELLED_DAYS = env.float("RETENTION_CANCELLED_DAYS", default=None)
RETENTION_DISCARDED_DAYS = env.float("RETENTION_DISCARDED_DAYS", default=1.0)
RETENTION_RESULT_HOURS = env.float("RETENTION_RESULT_HOURS", default=24.0)
RETENTION_FILE_HOURS = env.float("RETENTION_FILE_HOURS", default=24.0)

# --- Artifacts and large results -------------------------------------------------------------
ARTIFACTS_DIR = env.str("ARTIFACTS_DIR", default="") or str(CELERIAC_HOME / "artifacts")
ARTIFACT_MAX_BYTES = env.int("ARTIFACT_MAX_BYTES", default=50 * 1024 * 1024)
RESULT_MAX_BYTES = env.int("RESULT_MAX_BYTES", default=50 * 1024 * 1024)
LINK_SECONDS = env.int("LINK_SECONDS", default=600)
S3_BUCKET = env.str("S3_BUCKET", default="")  # empty: directories
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY", default="")
STORAGES = storages(
    files=FILES_DIR,
    artifacts=ARTIFACTS_DIR,
    bucket=S3_BUCKET,
    link_seconds=LINK_SECONDS,
    endpoint_url=env.str("S3_ENDPOINT_URL", default=""),
    access_key=env.str("S3_ACCESS_KEY_ID", default=""),
    secret_key=S3_SECRET_ACCESS_KEY,
    region=env.str("S3_REGION", default=""),
    prefix=env.str("S3_PREFIX", default=""),
)

# --- Redis and broker ------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
BROKER_URL = env.str("BROKER_URL", default=REDIS_URL)

# --- Celery ----------------------------------------------------------------------------------
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "queue_order_strategy": "jobs.broker_order:LevelCycle",
    "ack_emulation": False,
    # Without these a publish to a stopped Redis waits for ever.
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # A publisher that finds no broker says so in a second instead of trying for six.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_SOFT_SHUTDOWN_SECONDS", default=20.0)
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 30.0  # a child slow to start on a busy machine is no dead one
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_BEAT_SCHEDULER = "scheduling.scheduler:Scheduler"
# Celery closes the connection around every task whatever CONN_MAX_AGE says, unless this is set.
CELERY_DB_REUSE_MAX = 1_000_000
CELERY_TIMEZONE = "UTC"

# --- Workers ---------------------------------------------------------------------------------
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=0)  # 0: one a core
WORKER_QUEUES = env.list("WORKER_QUEUES", default=[])  # empty: all
WORKER_MAX_TASKS = env.int("WORKER_MAX_TASKS", default=0)
WORKER_MAX_MEMORY_MB = env.int("WORKER_MAX_MEMORY_MB", default=0)
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY or None
CELERY_WORKER_MAX_TASKS_PER_CHILD = WORKER_MAX_TASKS or None
CELERY_WORKER_MAX_MEMORY_PER_CHILD = WORKER_MAX_MEMORY_MB * 1024 or None  # Celery counts in KiB

# --- Outgoing calls --------------------------------------------------------------------------
EGRESS_ALLOW = env.list("EGRESS_ALLOW", default=[])  # host:port, though internal; operators only
EGRESS_CA_FILE = env.str("EGRESS_CA_FILE", default="")  # believed beside the public authorities

# --- Workloads -------------------------------------------------------------------------------
OLLAMA_BASE_URL = env.str("OLLAMA_BASE_URL", default="")
OLLAMA_MODEL = env.str("OLLAMA_MODEL", default="llama3.1")
OLLAMA_TIMEOUT = env.float("OLLAMA_TIMEOUT", default=60.0)  # seconds for one whole answer
LLM_BASE_URL = env.str("LLM_BASE_URL", default="")
LLM_MODEL = env.str("LLM_MODEL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
DIAGNOSTICS_CRASH = env.bool("DIAGNOSTICS_CRASH", default=False)

# --- Engine (seconds unless the name says otherwise) -----------------------------------------
LEASE_SECONDS = env.float("LEASE_SECONDS", default=30.0)
CRASH_LIMIT = env.int("CRASH_LIMIT", default=5)
CANCEL_GRACE_SECONDS = env.float("CANCEL_GRACE_SECONDS", default=10.0)
JOB_TIMEOUT_SECONDS = env.int("JOB_TIMEOUT_SECONDS", default=600)
JOB_LOG_LINES = env.int("JOB_LOG_LINES", default=1000)
# A job that is ready and not started rises, first after so long, then again and again.
AGEING_AFTER_SECONDS = env.float("AGEING_AFTER_SECONDS", default=3600.0)
AGEING_EVERY_SECONDS = env.float("AGEING_EVERY_SECONDS", default=300.0)
AGEING_STEP = env.int("AGEING_STEP", default=10)
AGEING_HIGHEST = env.int("AGEING_HIGHEST", default=100)

# --- Logging ---------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT = log_format(env.str("LOG_FORMAT", default=""))
LOGGING_CONFIG = "config.logs.configuration.configure"
LOGGING = logging_settings(level=LOG_LEVEL, form=LOG_FORMAT)
