"""What is live where: the home page, a deployment's page, JSON and CSV."""
