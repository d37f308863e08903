"""Access tokens as actors of what is written on their behalf."""

from contextlib import AbstractContextManager

from orgs.audit import Actor, acting_as
from tokens.statements import TokenRow


def acting_for_token(token: TokenRow, *, address: str) -> AbstractContextManager[None]:
    return acting_as(Actor(label=f"token {token.name}", address=address))
