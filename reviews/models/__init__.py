"""What is stored, and the rules that the database itself keeps."""

from reviews.models.bindings import KeyBinding
from reviews.models.comparisons import Comparison, ComparisonTrace
from reviews.models.datasets import Dataset, Dropped, Membership, Override, Shard
from reviews.models.duplicates import StandIn
from reviews.models.events import Event
from reviews.models.gold import Gold
from reviews.models.idempotency import Idempotency
from reviews.models.imports import BatchWithdrawal, ImportBatch, RefusedLine
from reviews.models.jobs import Job, WorkerBeat
from reviews.models.ledger import LedgerEntry, Seal
from reviews.models.lineages import Attribution, Checkpoint, Measurement, UseReport
from reviews.models.monitors import Monitor, Probe, ProbeResult
from reviews.models.outcomes import Outcome
from reviews.models.plans import HeldOutFamily, PromptBand, SamplingPlan, Style
from reviews.models.policies import Look, PolicyVersion
from reviews.models.projects import Invitation, LoginLink, Member, Project, Role, Token, User
from reviews.models.questions import Question
from reviews.models.queue import Assignment, Requeue, Skip
from reviews.models.renderings import PromptRendering, Rendering
from reviews.models.reviews import Citation, Decision, Review, StepLabel, Verdict
from reviews.models.rounds import Round
from reviews.models.specs import Clause, ClauseOpinion, SpecVersion
from reviews.models.targets import Target
from reviews.models.traces import Prompt, RoundPrompt, Sampler, Text, Trace

__all__ = [
    "Assignment",
    "Attribution",
    "BatchWithdrawal",
    "Checkpoint",
    "Citation",
    "Clause",
    "ClauseOpinion",
    "Comparison",
    "ComparisonTrace",
    "Dataset",
    "Decision",
    "Dropped",
    "Event",
    "Gold",
    "HeldOutFamily",
    "Idempotency",
    "ImportBatch",
    "Invitation",
    "Job",
    "KeyBinding",
    "LedgerEntry",
    "LoginLink",
    "Look",
    "Measurement",
    "Member",
    "Membership",
    "Monitor",
    "Outcome",
    "Override",
    "PolicyVersion",
    "Probe",
    "ProbeResult",
    "Project",
    "Prompt",
    "PromptBand",
    "PromptRendering",
    "Question",
    "RefusedLine",
    "Rendering",
    "Requeue",
    "Review",
    "Role",
    "Round",
    "RoundPrompt",
    "Sampler",
    "SamplingPlan",
    "Seal",
    "Shard",
    "Skip",
    "SpecVersion",
    "StandIn",
    "StepLabel",
    "Style",
    "Target",
    "Text",
    "Token",
    "Trace",
    "UseReport",
    "User",
    "Verdict",
    "WorkerBeat",
]
