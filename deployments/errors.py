"""Why a call is rejected. Each message is the one sentence that the caller gets: what is wrong and what to change.

``status`` is that of the answer over HTTP.
"""


class RegistrationError(Exception):
    status = 400


class UnreadableBody(RegistrationError):
    pass


class UnusableNumber(UnreadableBody):
    """NaN, Infinity, or a number that no column holds."""


class BodyTooLarge(RegistrationError):
    status = 413


class UnknownEncoding(RegistrationError):
    status = 415


class InvalidField(RegistrationError):
    pass


class InvalidFields(RegistrationError):
    """``sentences`` says by field what is wrong."""

    status = 422

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__(" ".join(sentences.values()))
        self.sentences = sentences


class NameMissing(RegistrationError):
    """A manual change has no name."""

    status = 422


class BadHistory(RegistrationError):
    """A file to import is no CSV file, or some of its lines are wrong."""


class UnknownDeployment(RegistrationError):
    """The path names a deployment that the organization does not have."""

    status = 401

    def __init__(self, slug: str) -> None:
        super().__init__()
        self.explanation = f"There is no deployment '{slug}' in this organization."


class UnknownProject(RegistrationError):
    """The path names a project that the organization does not have."""

    status = 404

    def __init__(self, explanation: str) -> None:
        # The text is Sleuth's; clients compare it.
        super().__init__("Project not found")
        self.explanation = explanation


class NoSlug(RegistrationError):
    """The path has something that cannot be a slug where a deployment's slug belongs."""

    status = 404


class UnknownEnvironment(RegistrationError):
    pass


class TargetMoved(RegistrationError):
    """The deployment was moved to another project, or its target deleted, after its targets were read: read them
    again."""

    status = 503


class BranchMismatch(RegistrationError):
    pass


class OutsideTokenLimits(RegistrationError):
    status = 403


class KeyReused(RegistrationError):
    """An Idempotency-Key came again with another body."""

    status = 422

    @classmethod
    def with_another_body(cls) -> "KeyReused":
        return cls("This Idempotency-Key came before with another body: use a new key for a new call.")


class DuplicateDeploy(RegistrationError):
    """The deploy changes nothing: it repeats ``deploy_id``. ``is_replay`` means that the call repeats an earlier one
    with the same Idempotency-Key, which was rejected as a duplicate; ``is_repeat`` that its client sent the very call
    that made the deploy once more, or one that names it by the caller's id."""

    def __init__(self, message: str, *, deploy_id: int, is_replay: bool = False, is_repeat: bool = False) -> None:
        super().__init__(message)
        self.deploy_id = deploy_id
        self.is_replay = is_replay
        self.is_repeat = is_repeat


class UnknownImpactSource(RegistrationError):
    status = 404


class MetricTooSoon(RegistrationError):
    """The source got a value less than MetricValue's interval ago; ``wait`` is in whole seconds."""

    status = 429

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
