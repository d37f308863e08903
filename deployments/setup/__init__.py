"""Projects, environments and deployments: pages, services, lists of the API, and snippets for each CI."""
