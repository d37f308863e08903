"""The rate of an import beside that of a plain COPY of the same rows into the same table."""
