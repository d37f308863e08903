"""Signing in: forms, pages and limits that allauth's own do not have."""
