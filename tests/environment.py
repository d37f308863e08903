"""Loaded before the settings: tests see the defaults, whatever the machine or a .env file says.

Only DATABASE_URL passes, since the suite runs on SQLite and on PostgreSQL.
"""

import os
import tempfile
from pathlib import Path

SETTINGS = (
    "DEBUG SITE_URL ALLOWED_HOSTS TRUSTED_PROXY_COUNT CACHE_URL CELERY_BROKER_URL API_RATE_LIMIT SWEETR_RATE_LIMIT "
    "MAX_BODY_BYTES MAX_IMPORT_BYTES MAX_IMPORT_ROWS EMAIL_URL EMAIL_FROM OIDC_ISSUER OIDC_CLIENT_ID OIDC_NAME "
    "OIDC_CLIENT_SECRET REQUEST_LOG_DAYS REQUEST_LOG_PER_DAY LOG_LEVEL LOG_FORMAT SECRET_KEY_FILE HOST PORT "
    "DATABASE_TIMEOUT WEB_WORKERS WEB_THREADS WORKER_THREADS STATIC_ROOT DATABASE_POOL_MODE "
    "MAX_ENVIRONMENTS MAX_DEPLOYMENTS"
)
for name in SETTINGS.split():
    os.environ[name] = ""
os.environ["SECRET_KEY"] = "a key for tests"
# Each process has a directory of its own, so that two at once do not meet: rate limits are counted there.
var_dir = tempfile.TemporaryDirectory(prefix="gumshoe-tests-")
os.environ["VAR_DIR"] = var_dir.name
# WhiteNoise warns about a directory of static files that is not there.
(Path(var_dir.name) / "static").mkdir()
