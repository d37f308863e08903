"""Access tokens in the web UI: list, create, change, rotate, revoke."""
