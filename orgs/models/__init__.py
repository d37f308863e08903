from orgs.models.base import Timestamped
from orgs.models.organization import Membership, Organization
from orgs.models.project import Environment, Project
from orgs.models.user import User

__all__ = ["Environment", "Membership", "Organization", "Project", "Timestamped", "User"]
