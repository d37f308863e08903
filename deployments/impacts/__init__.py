"""Writing impact sources and what they report: incidents and the values of metrics."""
