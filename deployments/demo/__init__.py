"""Made-up organizations: the demo that tells a story, and one filled with a million deploys."""
