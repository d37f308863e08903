from orgs.models.audit import AuditEvent
from orgs.models.base import ActiveManager, Timestamped
from orgs.models.invitation import Invitation, InvitationState
from orgs.models.organization import FormerSlug, Membership, Organization
from orgs.models.project import Environment, Project
from orgs.models.user import User

__all__ = [
    "ActiveManager",
    "AuditEvent",
    "Environment",
    "FormerSlug",
    "Invitation",
    "InvitationState",
    "Membership",
    "Organization",
    "Project",
    "Timestamped",
    "User",
]
