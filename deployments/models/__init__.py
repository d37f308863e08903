"""Every table of what happened."""

from deployments.models.call import Call, IdempotencyKey
from deployments.models.change import ChangedFile, Commit, Link, PullRequest, Tag
from deployments.models.deploy import Deploy, Health, Status
from deployments.models.deployment import BranchMatch, Deployment, Provider, Target
from deployments.models.history_import import DraftChunk, HistoryImport, ImportDraft
from deployments.models.impact import ImpactKind, ImpactSource, Incident, IncidentEvent, IncidentEventType, MetricValue
from deployments.models.manual_change import ManualChange
