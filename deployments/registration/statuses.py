"""How far a deploy got, in the words of CI systems → Status.

The words are those of GitHub (job status, conclusions, deployment states), GitLab (CI_JOB_STATUS, deployments), Jenkins
(currentResult), Azure Pipelines (Agent.JobStatus, results), Bitbucket (build and deployment states), CircleCI
(workflows, jobs), Argo CD and Argo Rollouts (phases), Flux and Flagger (reasons, phases), Tekton (conditions, reasons),
Harness (execution status), and of services that deploy themselves.
"""

import re
from collections.abc import Mapping
from typing import Any

from deployments.api.dropped import Dropped
from deployments.errors import InvalidField
from deployments.models import Status

# In the order in which a sentence names them.
STATUS_FIELDS = ("status", "state", "result", "phase", "conclusion", "success")
# Sleuth ignores unknown members, and these may be about something else: state: production.
MAY_MEAN_ANYTHING = frozenset(["state", "result", "phase", "conclusion"])
SEPARATORS = re.compile(r"[\s_-]+")
# They say that something ended, and not how. Another field may.
ENDED = frozenset(["complete", "completed", "done", "ended", "finalized", "finished"])
WORDS = {
    Status.STARTED: """
        actionrequired approvalwaiting asyncwaiting baking blocked building created deploying executing finalising
        finalizing initialized initializing inprogress inputwaiting interventionwaiting manual notstarted onhold paused
        pending postponed preparing processing progressing promoting queued requested resourcewaiting running scheduled
        start started suspended taskwaiting timedwaiting waiting waitingforresource waitingpromotion working
    """,
    Status.SUCCEEDED: """
        active applied deployed healthy ignorefailed live neutral ok partiallysucceeded passed promoted ready
        reconciliationsucceeded success successful succeeded succeededwithissues true unstable
    """,
    Status.FAILED: """
        broken buildfailed crashed degraded error errored expired fail failed failing failure false fault
        healthcheckfailed infrastructurefail installfailed internalerror pipelineruntimeout reconciliationfailed
        startupfailure taskruntimeout terminal timedout timeout unauthorized unhealthy unsuccessful updatefailed
        upgradefailed
    """,
    Status.CANCELLED: """
        abandoned abort aborted abortedbyfreeze aborting approvalrejected cancel canceled canceling cancelled
        cancelledrunfinally cancelling declined discontinuing halted inactive interrupted killed notbuilt notdeployed
        notrun pipelineruncancelled rejected skip skipped stale stopped stoppedrunfinally stopping superseded
        taskruncancelled terminated terminatedunknown terminating undeployed
    """,
}
MEANINGS = {word: status for status, words in WORDS.items() for word in words.split()}
YES_AND_NO = {"yes": Status.SUCCEEDED, "1": Status.SUCCEEDED, "no": Status.FAILED, "0": Status.FAILED}
KNOWN = f"{', '.join(Status.values[:-1])} or {Status.values[-1]}"


def read_status(fields: Mapping[str, Any], dropped: Dropped | None = None) -> Status:
    """What those of STATUS_FIELDS that a call has say, or else succeeded. Raises InvalidField.

    With ``dropped``, other words in those that MAY_MEAN_ANYTHING are left out.
    """
    said = {name: meaning_of(name, value, dropped) for name, value in fields.items()}
    how = {name: status for name, status in said.items() if status}
    if len(set(how.values())) > 1:
        contradiction = " and ".join(f"{name} says {status}" for name, status in how.items())
        raise InvalidField(f"{contradiction}: send one of them.")
    return next(iter(how.values()), Status.SUCCEEDED)


def meaning_of(name: str, value: str | bool, dropped: Dropped | None) -> Status | None:
    """None for a word that says only that something ended, or is left out. Raises InvalidField."""
    word = SEPARATORS.sub("", str(value)).lower()
    if word in ENDED:
        return None
    status = MEANINGS.get(word) or (YES_AND_NO.get(word) if name == "success" else None)
    if status is None:
        expected = "true or false" if name == "success" else KNOWN
        wrong = f"must be {expected}, or what your CI system calls it"
        if dropped is None or name not in MAY_MEAN_ANYTHING:
            raise InvalidField(f"{name} {wrong}.")
        dropped.leave_out(name, lambda: wrong)
    return status
