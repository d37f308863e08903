"""The operator's pages of organizations and people: each module registers its models."""

from orgs.admin import history, organizations, people

__all__ = ["history", "organizations", "people"]
