"""The operator's pages of what happened. Each module registers its models."""

from deployments.admin import calls, history, impacts, setup

__all__ = ["calls", "history", "impacts", "setup"]
