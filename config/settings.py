"""All settings. What differs between installations comes from environment variables, which .env.example lists."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF

from config import env
from config.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
VAR_DIR = env.directory("VAR_DIR", default=BASE_DIR / "var")

# --- Where we are ---------------------------------------------------------------------------------

HOST = env.text("HOST", default="127.0.0.1")
PORT = env.number("PORT", default=8000, minimum=1, maximum=65535)
SITE_URL = env.site_url("SITE_URL", default=f"http://{f'[{HOST}]' if ':' in HOST else HOST}:{PORT}")
SITE_IS_SECURE = SITE_URL.startswith("https://")
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS"), urlsplit(SITE_URL).hostname or "", "localhost", "127.0.0.1", "[::1]"]
# How many reverse proxies append to X-Forwarded-For. At 0 the header is ignored.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", default=0)

# --- Security -------------------------------------------------------------------------------------

# What `make run` made.
OWN_KEY = VAR_DIR / "secret-key"
SECRET_KEY = (
    env.secret("SECRET_KEY")
    or ("insecure-key-for-development" if DEBUG else "")
    or (env.read_file("SECRET_KEY", OWN_KEY) if OWN_KEY.exists() else "")
)
if not SECRET_KEY:
    raise env.SettingError("SECRET_KEY", "is not set: write 50 random characters, or a path in SECRET_KEY_FILE.")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [env.origin(SITE_URL)]
SECURE_HSTS_SECONDS = 31_536_000 if SITE_IS_SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
# The proxy redirects people to https. We must not, since API clients do not repeat a POST after a 301.
# Sub-domains and preload lists are for the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]

AUTH_USER_MODEL = "orgs.User"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        # The QR code for a second factor is a data URL.
        "img-src": [SELF, "data:"],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Signing in -----------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "orgs.sign_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Anyone could have us mail anyone.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
# Tell people by mail when their password or second factor changes.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
# Also for the first password of somebody who signs in only by single sign-on.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_FORMS = {
    "login": "orgs.sign_in.forms.LoginForm",
    "change_password": "orgs.sign_in.forms.ChangePasswordForm",
    "set_password": "orgs.sign_in.forms.SetPasswordForm",
    "reset_password": "orgs.sign_in.forms.ResetPasswordForm",
    "reset_password_from_key": "orgs.sign_in.forms.ResetPasswordKeyForm",
    "reauthenticate": "orgs.sign_in.forms.ReauthenticateForm",
    "confirm_reauthentication_code": "orgs.sign_in.forms.ConfirmByCodeForm",
}
# Addresses come from the operator or an invitation, so they need no verification before a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Gumshoe"

SOCIALACCOUNT_ADAPTER = "orgs.sign_in.adapters.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# Single sign-on by OpenID Connect; its redirect address is SITE_URL/accounts/oidc/sso/login/callback/
OIDC_ISSUER = env.url("OIDC_ISSUER", default="")
OIDC_NAME = env.text("OIDC_NAME", default="single sign-on")
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": OIDC_NAME,
                    "client_id": env.required("OIDC_CLIENT_ID", because="OIDC_ISSUER is set"),
                    "secret": env.required("OIDC_CLIENT_SECRET", because="OIDC_ISSUER is set"),
                    "settings": {"server_url": OIDC_ISSUER},
                }
            ],
        }
    }
    # The sign-in form is redirected there.
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += [env.origin(OIDC_ISSUER)]

# --- Mail -----------------------------------------------------------------------------------------

EMAIL_USE_TLS = EMAIL_USE_SSL = False
# EMAIL_BACKEND, EMAIL_HOST and so on.
globals().update(env.email("EMAIL_URL", default="console:"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", default=f"Gumshoe <gumshoe@{urlsplit(SITE_URL).hostname}>")

# --- Application ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    # FORM_RENDERER finds Django's widgets in it, and our fields in templates/.
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "config.apps.ConfigConfig",
    "orgs.apps.OrgsConfig",
    "tokens.apps.TokensConfig",
    "deployments.apps.DeploymentsConfig",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.middleware.ApiPathMiddleware",
    "config.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # The Page… ones skip calls of the API, which would take a tenth longer with them.
    "config.middleware.PageSessionMiddleware",
    "config.middleware.PageCommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.PageAuthenticationMiddleware",
    "config.middleware.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.PageCSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.OperatorMiddleware",
]
# Each ends in a slash, since a slug may begin with the word before it.
API_PATH_PREFIXES = ("/api/", "/v1/", "/graphql/")
API_PATHS = ("/graphql", "/graphql-batch")
PAGES_BELOW_API = ("/api/docs",)

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# No path of the API ends in a slash and none may redirect.
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "config.context.frame",
            ],
        },
    },
]

# Fields use templates/django/forms/field.html.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", default=str(VAR_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Database and cache ---------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{quote(str(VAR_DIR / 'gumshoe.sqlite3'))}")}
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "config.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        # A transaction takes the write lock when it begins. A deferred one fails with "database is locked" if another
        # writer commits between its first read and its first write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL, because a 200 promises that the deploy is on disk. WAL with NORMAL may lose the last commits.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # A file, because an in-memory database has no lock that threads could wait for.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["ENGINE"] = "config.postgresql"
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    options = DATABASES["default"].setdefault("OPTIONS", {})
    # Prepared statements halve what a registration costs PostgreSQL.
    prepare_threshold = env.prepare_threshold("DATABASE_URL", options.get("prepare_threshold", 2))
    # Behind a pooler that gives each transaction another connection, neither these nor the cursors that long downloads
    # read by are found again. PgBouncer knows the statements of its clients since 1.21, and cursors never.
    if env.choice("DATABASE_POOL_MODE", "session", ("session", "transaction")) == "transaction":
        prepare_threshold = None
        DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    options |= {"server_side_binding": True, "prepare_threshold": prepare_threshold}
    # Seconds and milliseconds, after which a connection counts as lost: https://www.postgresql.org/docs/current/libpq-connect.html
    for name, value in {
        "connect_timeout": 3,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }.items():
        options.setdefault(name, value)
# Seconds that a web process waits for one answer of PostgreSQL, or for a lock, before it answers 503; 0 is for ever.
DATABASE_TIMEOUT = env.number("DATABASE_TIMEOUT", default=6, minimum=0)

# Processes that serve requests, and threads in each. On SQLite more would only wait, since one writes at a time.
WEB_WORKERS = env.number("WEB_WORKERS", default=2, minimum=1)
WEB_THREADS = env.number(
    "WEB_THREADS", default=2 if DATABASES["default"]["ENGINE"].endswith("sqlite") else 4, minimum=1
)

CACHES: dict[str, dict[str, object]] = {
    # Failed sign-ins and used codes of second factors: they hold on all machines, and nothing else pushes them out.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "orgs_signinfact",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Where all web workers together count for rate limits.
    "counters": env.cache("CACHE_URL", default="locmemcache://"),
}
COUNTS_ON_ONE_MACHINE = str(CACHES["counters"]["BACKEND"]).endswith("LocMemCache")
if COUNTS_ON_ONE_MACHINE:
    CACHES["counters"] = {"BACKEND": "tokens.counters.SharedCounters", "LOCATION": str(VAR_DIR / "counters")}
RATELIMIT_USE_CACHE = "counters"

# --- Jobs -----------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.service_url(
    "CELERY_BROKER_URL",
    default="filesystem://localhost",
    schemes=("filesystem", "redis", "rediss"),
    example="redis://host:port/number",
)
CELERY_TASK_IGNORE_RESULT = True
# What web processes send tasks by.
TASK_SENDER = "config.celery.app"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Jobs mostly wait for the database or another server, so threads of one small process are enough.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = env.number("WORKER_THREADS", default=4, minimum=1)
if CELERY_BROKER_URL.startswith("filesystem:"):
    BROKER_DIR = VAR_DIR / "broker"
    BROKER_DIR.mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR),
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1}
CELERY_BEAT_SCHEDULER = "config.celery:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
HOURLY_TASKS = (
    "deployments.tasks.delete_expired_idempotency_keys",
    "deployments.tasks.delete_old_calls",
    "deployments.tasks.delete_replaced_deploys",
    "deployments.tasks.delete_old_import_drafts",
    "deployments.tasks.delete_ended_environments",
    "deployments.tasks.delete_ended_secrets",
    "deployments.tasks.delete_ended_sessions",
)
CELERY_BEAT_SCHEDULE = {
    **{task: {"task": task, "schedule": 3600.0} for task in HOURLY_TASKS},
    # What a nudge did not reach, and what a worker that was killed left unfinished.
    "run-imports": {"task": "deployments.tasks.run_imports", "schedule": 15.0, "options": {"expires": 15.0}},
}

# --- API ------------------------------------------------------------------------------------------

# Requests a token may make, such as 600/m (s, m, h, d), or off.
API_RATE_LIMIT = env.rate("API_RATE_LIMIT", default="600/m")
# The same for Sweetr's POST /v1/deployments, counted separately.
SWEETR_RATE_LIMIT = env.rate("SWEETR_RATE_LIMIT", default="100/m")
# If the cache does not count, django-ratelimit says so, and tokens/throttling.py decides.
RATELIMIT_FAIL_OPEN = True
# Bytes of a body. A larger one is answered 413.
MAX_BODY_BYTES = env.number("MAX_BODY_BYTES", default=16 * 1024 * 1024, minimum=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# Bytes of a body with a CSV file, which is kept on disk and not in memory.
MAX_IMPORT_BYTES = env.number("MAX_IMPORT_BYTES", default=64 * 1024 * 1024, minimum=1024)
# Rows of such a file, which are in memory while it is imported: about 400 bytes each.
MAX_IMPORT_ROWS = env.number("MAX_IMPORT_ROWS", default=200_000, minimum=1)
# What people and calls may create; pages show all of a project's environments beside each deployment.
MAX_ENVIRONMENTS = env.number("MAX_ENVIRONMENTS", default=50, minimum=1)
MAX_DEPLOYMENTS = env.number("MAX_DEPLOYMENTS", default=2_000, minimum=1)
FILE_UPLOAD_HANDLERS = [
    "deployments.imports.upload.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
IDEMPOTENCY_KEY_HOURS = 24

# How many days the request log keeps calls, and how many calls of an organization it keeps a day.
REQUEST_LOG_DAYS = env.number("REQUEST_LOG_DAYS", default=30, minimum=1)
REQUEST_LOG_PER_DAY = env.number("REQUEST_LOG_PER_DAY", default=20_000)
# Off in tests, which write the log in their own transaction.
REQUEST_LOG_THREAD = True

REST_FRAMEWORK: dict[str, object] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "EXCEPTION_HANDLER": "deployments.api.answers.answer_exception",
}

# --- Logging --------------------------------------------------------------------------------------

LOGGING = logging_config(
    level=env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    style=env.choice("LOG_FORMAT", "text" if DEBUG else "json", ("json", "text")),
)
