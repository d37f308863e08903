"""One deploy: its page, its JSON, the locations of its commits, its health, and its deletion."""
