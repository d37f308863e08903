from dataclasses import dataclass

from strawberry import Info

from deployments.registration.errors import UnknownDeployment
from deployments.registration.places import find_deployment
from deployments.registration.statements import Place
from tokens.authentication import names_organization
from tokens.scopes import Scope, allows
from tokens.statements import TokenRow


class Refused(Exception):
    """The message is the one sentence the caller gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks; each resolver finds it in ``info.context``."""

    token: TokenRow
    address: str

    def check_scope(self, *any_of: Scope) -> None:
        if not any(allows(self.token.scopes, scope) for scope in any_of):
            raise Refused(f"The access token lacks the scope {any_of[0]}: use a token that has it, or ALL.")

    def find_deployment(self, *, organization: str, slug: str) -> list[Place]:
        """Its places. Raises UnknownDeployment also where the organization is not the token's, so that nobody can find
        out which organizations exist; and what deployments.registration.places.find_deployment does."""
        if not names_organization(organization.lower(), self.token):
            raise UnknownDeployment(slug)
        return find_deployment(token=self.token, slug=slug)


CallerInfo = Info[Caller, None]
