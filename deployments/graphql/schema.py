"""Everything that GraphQL knows: a further module adds its type to the bases of Query or Mutation."""

import strawberry
from graphql import GraphQLError
from graphql.validation import MaxIntrospectionDepthRule
from strawberry.extensions import AddValidationRules
from strawberry.types import ExecutionContext

from deployments.graphql.change_sources import ChangeSourceQuery, CodeChangeSource
from deployments.graphql.health import HealthMutation


@strawberry.type
class Query(ChangeSourceQuery): ...


@strawberry.type
class Mutation(HealthMutation): ...


class QuietSchema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Logs none: most are the caller's, and deployments.graphql.execution logs the others."""


schema = QuietSchema(
    query=Query,
    mutation=Mutation,
    # Found by its interface only.
    types=(CodeChangeSource,),
    extensions=(lambda: AddValidationRules([MaxIntrospectionDepthRule]),),
)
