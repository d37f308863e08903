"""How people and machines get into the demo: kept in a file that only its owner reads, so that it stays valid."""

import json
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.utils.crypto import get_random_string

from orgs.models import Organization, User
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.secrets import digest
from tokens.services import create_token, revoke_token

EMAIL = "demo@example.com"
TOKEN_NAME = "demo"


@dataclass(frozen=True, slots=True)
class Access:
    password: str
    token: str


def access_file() -> Path:
    return Path(settings.VAR_DIR) / "demo.json"


def read_access() -> Access | None:
    try:
        return Access(**json.loads(access_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_access(access: Access) -> None:
    path = access_file()
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(access), file)
    beside.replace(path)


def ensure_user() -> str:
    """The superuser's password; a new one where the file has none. One that was set by hand since stays."""
    saved = read_access()
    password = saved.password if saved else get_random_string(16)
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        User.objects.create_superuser(EMAIL, password)
    elif saved is None:
        user.set_password(password)
        user.save(update_fields=["password"])
    return password


def ensure_token(organization: Organization) -> tuple[AccessToken, str]:
    """The token of the file while it is good, else a new one in its place."""
    saved = read_access()
    named = organization.tokens.filter(name=TOKEN_NAME, revoked_at=None).first()
    if named and saved and named.digest == digest(saved.token) and named.state() == "active":
        return named, saved.token
    if named:
        revoke_token(token=named)
    return create_token(
        organization=organization,
        name=TOKEN_NAME,
        scopes=[Scope.REGISTER_DEPLOY],
        created_by=User.objects.filter(email=EMAIL).first(),
    )


def closing_lines(access: Access) -> list[str]:
    """Where to look, and last a command that registers a deploy: one line for any shell, another sha each time."""
    url = shlex.quote(f"{settings.SITE_URL}/api/1/deployments/acme/storefront/register_deploy")
    sha = "$(od -An -N20 -tx1 /dev/urandom | tr -d ' \\n')"
    return [
        f"Look around at {settings.SITE_URL} as {EMAIL} with the password {access.password}",
        "Register a deploy:",
        f"curl -X POST {url} -H 'Authorization: Bearer {access.token}' -d \"sha={sha}\" -d environment=production",
    ]
