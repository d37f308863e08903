"""Projects, deployments, tokens and members as code: a document is checked and applied, or written out."""
