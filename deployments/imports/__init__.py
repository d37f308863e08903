"""Importing the history of a deployment from a CSV file: by the API, or with a preview on a page, and undo."""
