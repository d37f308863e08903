"""Why a registration is refused. Each message is the one sentence the caller gets: what is wrong and what to change."""


class RegistrationError(Exception):
    """``code`` is stable, for logs and answers; the message is for people."""

    code = "rejected"


class UnreadableBody(RegistrationError):
    code = "unreadable_body"


class UnusableNumber(UnreadableBody):
    """NaN, Infinity, or a number that no column holds."""


class BodyTooLarge(RegistrationError):
    code = "body_too_large"


class InvalidField(RegistrationError):
    code = "invalid_field"


class NameMissing(RegistrationError):
    """A manual change without a name."""

    code = "name_missing"


class InvalidFields(RegistrationError):
    """``sentences`` has what is wrong with each field that is."""

    code = "invalid_fields"

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__(" ".join(sentences.values()))
        self.sentences = sentences


class BadHistory(RegistrationError):
    """A file that is to be imported is not one, or has lines that are wrong."""

    code = "bad_history"


class UnknownDeployment(RegistrationError):
    """The path names a deployment that the organization does not have."""

    code = "unknown_deployment"

    def __init__(self, slug: str) -> None:
        super().__init__()
        self.explanation = f"There is no deployment '{slug}' in this organization."


class UnknownProject(RegistrationError):
    """The path names a project that the organization does not have."""

    code = "unknown_project"

    def __init__(self, explanation: str) -> None:
        # The text is Sleuth's; clients compare it.
        super().__init__("Project not found")
        self.explanation = explanation


class NoSlug(RegistrationError):
    """The path names a deployment by what can be no slug."""

    code = "no_slug"


class UnknownEnvironment(RegistrationError):
    code = "unknown_environment"


class TargetMoved(RegistrationError):
    """The deployment was moved to another project after its places were read: read them again."""

    code = "place_moved"


class BranchMismatch(RegistrationError):
    code = "branch_mismatch"


class OutsideTokenLimits(RegistrationError):
    code = "outside_token_limits"


class KeyReused(RegistrationError):
    """An Idempotency-Key came again with another body."""

    code = "idempotency_key_reused"


class DuplicateDeploy(RegistrationError):
    """Nothing changed by this deploy: ``deploy_id`` is the one it repeats. It ``is_replay`` where that was so when the
    call came first with its Idempotency-Key."""

    code = "duplicate"

    def __init__(self, message: str, *, deploy_id: int, is_replay: bool = False) -> None:
        super().__init__(message)
        self.deploy_id = deploy_id
        self.is_replay = is_replay


# --- Why a report of an impact source is refused, in the sentence that the caller gets ---


class UnknownImpactSource(RegistrationError):
    code = "unknown_impact_source"


class MetricTooSoon(RegistrationError):
    """The source got a value less than MetricValue's interval ago; ``wait`` is in whole seconds."""

    code = "metric_too_soon"

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
