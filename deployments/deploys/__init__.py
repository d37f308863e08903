"""One deploy: its page, its JSON, where its commits are, its health, deleting and restoring it."""
