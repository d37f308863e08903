"""Projects, environments and deployments: their pages, services and API lists, and snippets for each CI."""
