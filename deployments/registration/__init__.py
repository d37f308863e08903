"""One call becomes one deploy: wire formats, targets, duplicates, rollbacks, idempotency, storing."""
