"""Other names that calls may use for an environment: prod for Production.

A slug or a name of an environment comes first, so an alias may be neither in its project.
"""

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from orgs.models import Environment, EnvironmentAlias, Project

MAX_ALIASES = 20
MAX_LENGTH = 100


def folded(name: str) -> str:
    """As aliases are stored and compared: regardless of case and of the kind and amount of white space."""
    return " ".join(name.casefold().split())


def environment_of_alias(project_id: int, name: str) -> int | None:
    """The id of the active environment that ``name`` is an alias of."""
    aliases = EnvironmentAlias.objects.filter(project=project_id, name=folded(name), environment__deleted_at=None)
    return aliases.values_list("environment_id", flat=True).first()


def check_name_is_free(environment: Environment) -> None:
    """Raises ValidationError if the name or the slug is an alias of another environment of the project."""
    for field in ("name", "slug"):
        named = folded(getattr(environment, field))
        taken = EnvironmentAlias.objects.filter(
            project=environment.project_id, name=named, environment__deleted_at=None
        ).exclude(environment=environment)
        if other := taken.select_related("environment").first():
            raise ValidationError({field: f"{other} is an alias of {other.environment}: remove it there first."})


def set_aliases(environment: Environment, names: Sequence[str]) -> list[list[str]] | None:
    """The aliases before and after, or None if they stay the same. Call it with the project locked.

    What the environment itself is called is left out. Raises ValidationError.
    """
    own = {environment.slug, folded(environment.name)}
    after = sorted({folded(name) for name in names} - {"", *own})
    before = environment.aliases
    if after == before:
        return None
    if len(after) > MAX_ALIASES:
        raise ValidationError({"aliases": f"There are {len(after)} aliases: at most {MAX_ALIASES} are possible."})
    for name in after:
        if not name.isprintable() or "," in name or len(name) > MAX_LENGTH:
            raise ValidationError({"aliases": f"An alias has at most {MAX_LENGTH} characters, and no comma."})
    check_aliases_are_free(environment, after)
    # A deleted environment gives up its aliases to another that asks for them.
    EnvironmentAlias.objects.filter(project=environment.project_id, name__in=after).delete()
    environment.alias_rows.all().delete()
    EnvironmentAlias.objects.bulk_create(
        EnvironmentAlias(project_id=environment.project_id, environment=environment, name=name) for name in after
    )
    return [before, after]


def free_aliases(environment: Environment, project: Project) -> list[str]:
    """Those that no other active environment of the project is called by."""
    taken: set[str] = set()
    for other in project.environments.exclude(pk=environment.pk).prefetch_related("alias_rows"):
        taken |= {other.slug, folded(other.name), *other.aliases}
    return [alias for alias in environment.aliases if alias not in taken]


def check_aliases_are_free(environment: Environment, names: Sequence[str]) -> None:
    others = Environment.objects.filter(project=environment.project_id).exclude(pk=environment.pk)
    for other in others.prefetch_related("alias_rows"):
        for name in names:
            if name in (other.slug, folded(other.name)):
                raise ValidationError({"aliases": f"{name} is what the environment {other} is called."})
            if name in other.aliases:
                raise ValidationError({"aliases": f"{name} is an alias of {other} already: remove it there first."})
