"""Manual changes: registered by a call or recorded by hand, edited, deleted, restored, listed."""
