"""Every call to a registration endpoint, kept so that nobody has to search CI logs for why one was rejected."""
