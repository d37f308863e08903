"""Who may do what in an organization: one table."""

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    OBSERVER = "observer"


class Permission(StrEnum):
    VIEW = "see what is live, the timeline, the set-up and the members"
    REGISTER = "register, replay and delete deploys and manual changes"
    VIEW_REQUESTS = "see the request log"
    MANAGE_PROJECTS = "manage projects, environments and deployments"
    MANAGE_TOKENS = "manage access tokens"
    MANAGE_MEMBERS = "invite, change and remove members"
    VIEW_AUDIT_LOG = "see the audit log"
    MANAGE_ORGANIZATION = "change the organization's settings"
    MANAGE_OWNERS = "make and unmake owners"


OBSERVER = frozenset({Permission.VIEW})
DEVELOPER = OBSERVER | {Permission.REGISTER, Permission.VIEW_REQUESTS}
ADMIN = DEVELOPER | {
    Permission.MANAGE_PROJECTS,
    Permission.MANAGE_TOKENS,
    Permission.MANAGE_MEMBERS,
    Permission.VIEW_AUDIT_LOG,
    Permission.MANAGE_ORGANIZATION,
}
OWNER = ADMIN | {Permission.MANAGE_OWNERS}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: OWNER,
    Role.ADMIN: ADMIN,
    Role.DEVELOPER: DEVELOPER,
    Role.OBSERVER: OBSERVER,
}


# In short; PERMISSIONS has the details.
DESCRIPTIONS: dict[Role, str] = {
    Role.OWNER: "everything an admin may, and decides who is an owner",
    Role.ADMIN: "everything a developer may, and runs projects, tokens, members and settings",
    Role.DEVELOPER: "registers and deletes deploys, and sees why a call was rejected",
    Role.OBSERVER: "sees what is live and the timeline, and changes nothing",
}


def role_allows(role: str, permission: Permission) -> bool:
    return permission in PERMISSIONS[Role(role)]
