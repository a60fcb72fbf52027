"""What is stored, and the rules that the database itself keeps."""

from reviews.models.datasets import Dataset, Dropped, Membership, Override, Shard
from reviews.models.events import Event
from reviews.models.idempotency import Idempotency
from reviews.models.imports import BatchWithdrawal, ImportBatch, RefusedLine
from reviews.models.jobs import Job, WorkerBeat
from reviews.models.projects import Invitation, LoginLink, Member, Project, Role, Token, User
from reviews.models.queue import Assignment, Skip
from reviews.models.reviews import Citation, Decision, Review, Verdict
from reviews.models.rounds import Round
from reviews.models.specs import Clause, SpecVersion
from reviews.models.traces import Prompt, RoundPrompt, Sampler, Text, Trace

__all__ = [
    "Assignment",
    "BatchWithdrawal",
    "Citation",
    "Clause",
    "Dataset",
    "Decision",
    "Dropped",
    "Event",
    "Idempotency",
    "ImportBatch",
    "Invitation",
    "Job",
    "LoginLink",
    "Member",
    "Membership",
    "Override",
    "Project",
    "Prompt",
    "RefusedLine",
    "Review",
    "Role",
    "Round",
    "RoundPrompt",
    "Sampler",
    "Shard",
    "Skip",
    "SpecVersion",
    "Text",
    "Token",
    "Trace",
    "User",
    "Verdict",
    "WorkerBeat",
]
