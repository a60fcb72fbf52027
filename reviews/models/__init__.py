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
from reviews.models.outcomes import Outcome
from reviews.models.projects import Invitation, LoginLink, Member, Project, Role, Token, User
from reviews.models.questions import Question
from reviews.models.queue import Assignment, Requeue, Skip
from reviews.models.renderings import PromptRendering, Rendering
from reviews.models.reviews import Citation, Decision, Review, StepLabel, Verdict
from reviews.models.rounds import Round
from reviews.models.specs import Clause, SpecVersion
from reviews.models.traces import Prompt, RoundPrompt, Sampler, Text, Trace

__all__ = [
    "Assignment",
    "BatchWithdrawal",
    "Citation",
    "Clause",
    "Comparison",
    "ComparisonTrace",
    "Dataset",
    "Decision",
    "Dropped",
    "Event",
    "Gold",
    "Idempotency",
    "ImportBatch",
    "Invitation",
    "Job",
    "KeyBinding",
    "LoginLink",
    "Member",
    "Membership",
    "Outcome",
    "Override",
    "Project",
    "Prompt",
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
    "Shard",
    "Skip",
    "SpecVersion",
    "StandIn",
    "StepLabel",
    "Text",
    "Token",
    "Trace",
    "User",
    "Verdict",
    "WorkerBeat",
]
