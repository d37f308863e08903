"""Pages that list, create, change, rotate and revoke access tokens."""
