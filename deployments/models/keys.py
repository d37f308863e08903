"""Foreign keys of several columns, which Django has no field for."""

from typing import Any

from django.db import models


class CompositeForeignKey(models.BaseConstraint):
    """``columns`` together name a row of another table, by ``references``: ``table (column, …)``, which must be unique.

    The database checks it once for each row that is inserted, at the end of the transaction, where a key for each of
    the columns would be checked one by one.
    """

    def __init__(self, *, columns: tuple[str, ...], references: str, name: str) -> None:
        super().__init__(name=name)
        self.columns = columns
        self.references = references

    def sql(self, schema_editor: Any) -> str:
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} FOREIGN KEY ({', '.join(self.columns)}) "
            f"REFERENCES {self.references} DEFERRABLE INITIALLY DEFERRED"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """A part of CREATE TABLE. PostgreSQL gets it when all tables are there, as it gets Django's own."""
        if schema_editor.connection.vendor == "sqlite":
            return self.sql(schema_editor)
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        return f"{alter_table(model, schema_editor)} ADD {self.sql(schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f"{alter_table(model, schema_editor)} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do before the database does it: the columns of a row are copied from the row they refer to."""

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "columns": self.columns, "references": self.references}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompositeForeignKey) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]  # as that of Django's constraints


def alter_table(model: Any, schema_editor: Any) -> str:
    return f"ALTER TABLE {schema_editor.quote_name(model._meta.db_table)}"  # noqa: SLF001 - documented in spite of its name
