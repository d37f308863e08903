"""Reading; writing goes through services and registration."""

from deployments.queries.deploys import deploys_with_place

__all__ = ["deploys_with_place"]
