"""The operator's pages of what happened: each module registers its models."""

from deployments.admin import history, impacts

__all__ = ["history", "impacts"]
