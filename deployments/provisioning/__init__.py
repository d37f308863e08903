"""Organizations, projects, tokens and members as code: a file is checked and applied."""
