"""Pages of organizations, members, invitations and the audit log."""
