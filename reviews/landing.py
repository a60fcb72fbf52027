"""Landing lines in the tables: what each is, held against what is stored, then inserted plainly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from reviews import holding_out, slotting
from reviews.formats import canonical
from reviews.formats.records import RefusedLine, Sample
from reviews.lineages import adopting
from reviews.models import (
    BatchWithdrawal,
    Event,
    ImportBatch,
    Outcome,
    Prompt,
    PromptBand,
    RoundPrompt,
    Sampler,
    Text,
    Trace,
)
from reviews.models import (
    RefusedLine as StoredRefusal,
)

CONTRADICTIONS_NAMED = 20  # in one line of the log


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one line: `new` or `known` with the trace's digest, or `refused` with field and reason."""

    line: int
    state: str
    digest: str = ""
    field: str = ""
    reason: str = ""
    warning: str = ""


@dataclass(slots=True)
class Prepared:
    """A line with its digests, ready to be held against what is stored."""

    line: int
    size: int
    refused: RefusedLine | None = None
    sample: Sample | None = None
    external_id: str = ""
    model: str = ""
    index: int = 0
    prompt_digest: bytes = b""
    identity: bytes = b""
    content: bytes = b""
    digest: bytes = b""

    @property
    def taken(self) -> Sample:
        """The sample of a line that was not refused. Raises ValueError for one that was."""
        if self.sample is None:
            raise ValueError(f"line {self.line} was refused")
        return self.sample


class Namer:
    """Gives the parts of an identity that a file leaves out: id, model, and which sample of its prompt it is.

    Holds one small entry for each (prompt, model) whose rows carry no sample_index, and nothing for the others.
    """

    def __init__(self) -> None:
        self.before: dict[int, int] = {}

    def name(self, sample: Sample, size: int) -> Prepared:
        messages = sample.messages
        prompt = canonical.digest(messages)
        external_id = sample.prompt_id if sample.prompt_id is not None else prompt.hex()[:12]
        model = sample.model if sample.model is not None else "unknown"
        index = sample.sample_index
        if index is None:
            place = hash((prompt, model))
            index = self.before.get(place, 0)
            self.before[place] = index + 1
        content = {"prompt": messages, "reasoning": sample.reasoning, "answer": sample.answer}
        named = {"prompt_id": external_id, "model": model, "sample_index": index}
        return Prepared(
            line=sample.line,
            size=size,
            sample=sample,
            external_id=external_id,
            model=model,
            index=index,
            prompt_digest=prompt,
            identity=canonical.digest([external_id, model, index]),
            content=canonical.digest(content),
            digest=canonical.digest({**content, **named}),
        )


class Writer:
    """Writes one batch of lines: what is stored is read first, then the new rows are inserted plainly."""

    def __init__(self, batch: ImportBatch, namer: Namer, told: adopting.Told | None = None) -> None:
        self.batch, self.round, self.told = batch, batch.round, told or adopting.Told()

    def classify(
        self, rows: list[Prepared], seen: dict[bytes, bytes] | None = None, prompts: set[bytes] | None = None
    ) -> list[Landed]:
        """What would become of each line. seen: identities of earlier batches, where nothing was written."""
        known = seen if seen is not None else {}
        stored = Trace.objects.filter(
            round=self.round, identity__in=[row.identity for row in rows if row.sample]
        )
        withdrawn = BatchWithdrawal.objects.filter(batch__round=self.round).values_list("batch", flat=True)
        taken_back = set(withdrawn)
        before: dict[bytes, Trace] = {}
        self.generations: dict[bytes, int] = {}
        for trace in stored.select_related("sampler").defer("meta"):
            if trace.batch_id in taken_back:
                identity = bytes(trace.identity)
                self.generations[identity] = max(self.generations.get(identity, 0), trace.generation + 1)
            else:
                before[bytes(trace.identity)] = trace
        landed = []
        for row in rows:
            landed.append(self._place(row, before.get(row.identity), known))
        if prompts is not None:
            fresh = {row.prompt_digest for row, at in zip(rows, landed, strict=True) if at.state == "new"}
            held = Prompt.objects.filter(project=self.round.project_id, digest__in=fresh).values_list(
                "digest", flat=True
            )
            prompts |= fresh - {bytes(digest) for digest in held}
        return landed

    def _place(self, row: Prepared, stored: Trace | None, known: dict[bytes, bytes]) -> Landed:
        if row.refused is not None:
            return Landed(row.line, "refused", field=row.refused.field, reason=row.refused.reason)
        content = bytes(stored.content_digest) if stored else known.get(row.identity)
        if content is None:
            known[row.identity] = row.content
            return Landed(row.line, "new", digest=row.digest.hex())
        if content != row.content:
            reason = (
                f"contradicts what was imported before: {row.external_id}, {row.model}, sample {row.index} has "
                "another text there"
            )
            return Landed(row.line, "refused", field="sample_index", reason=reason)
        warning = ""
        if stored and bytes(stored.sampler.sampling) != canonical.dump(row.taken.sampling):
            warning = "known already, with another sampling; the one stored first stays"
        return Landed(row.line, "known", digest=row.digest.hex(), warning=warning)

    def write(self, rows: list[Prepared]) -> list[Landed]:
        landed = self.classify(rows)
        new = [row for row, at in zip(rows, landed, strict=True) if at.state == "new"]
        StoredRefusal.objects.bulk_create(
            StoredRefusal(batch=self.batch, line=at.line, field=at.field, reason=at.reason, text=_kept(row))
            for row, at in zip(rows, landed, strict=True)
            if at.state == "refused"
        )
        self._log_other_texts(rows, landed)
        if new:
            self._write_traces(new)
        return landed

    def _log_other_texts(self, rows: list[Prepared], landed: list[Landed]) -> None:
        """That somebody tried to put another text in the place of a sampled one stays on record (C11)."""
        tried = [
            [at.line, row.external_id, row.model, row.index]
            for row, at in zip(rows, landed, strict=True)
            if at.state == "refused" and row.refused is None
        ]
        if tried:
            Event.objects.log(
                self.round.project_id,
                "trace.contradicted",
                self.batch.by,
                self.batch,
                n=len(tried),
                first=tried[:CONTRADICTIONS_NAMED],
            )

    def _write_traces(self, rows: list[Prepared]) -> None:
        prompts = self._prompts(rows)
        places = self._round_prompts(rows, prompts)
        samplers = self._samplers(rows)
        texts = self._texts(rows)
        traces = []
        for row in rows:
            sample = row.taken
            usage = sample.meta.get("usage")
            tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
            finish = sample.meta.get("finish_reason")
            traces.append(
                Trace(
                    round=self.round,
                    batch=self.batch,
                    sample_index=row.index,
                    identity=row.identity,
                    generation=self.generations.get(row.identity, 0),
                    content_digest=row.content,
                    digest=row.digest,
                    prompt_was_text=isinstance(sample.prompt, str),
                    round_prompt=places[_place_key(row)],
                    sampler=samplers[_sampler_key(row)],
                    reasoning=texts[canonical.text_digest(sample.reasoning)],
                    answer=None if sample.answer is None else texts[canonical.text_digest(sample.answer)],
                    raw=None if sample.raw is None else texts[canonical.text_digest(sample.raw)],
                    split_rule=sample.split_rule,
                    finish=_short(finish),
                    meta=canonical.dump(sample.meta),
                    tokens=tokens if type(tokens) is int and 0 <= tokens < 2**31 else None,
                )
            )
        Trace.objects.bulk_create(traces)
        Outcome.objects.bulk_create(
            Outcome(trace=trace, source="file", value=value)
            for trace, row in zip(traces, rows, strict=True)
            if (value := _outcome(row.taken.meta))
        )
        slotting.open_slots(self.round, traces)

    def _prompts(self, rows: list[Prepared]) -> dict[bytes, Prompt]:
        stored = Prompt.objects.filter(
            project=self.round.project_id, digest__in={row.prompt_digest for row in rows}
        )
        found = {bytes(prompt.digest): prompt for prompt in stored}
        fresh = {}
        for row in rows:
            if row.prompt_digest not in found and row.prompt_digest not in fresh:
                messages = row.taken.messages
                fresh[row.prompt_digest] = Prompt(
                    project_id=self.round.project_id,
                    digest=row.prompt_digest,
                    messages=canonical.dump(messages),
                )
        bands = holding_out.settle(self.round.project_id, fresh.values())
        Prompt.objects.bulk_create(fresh.values())
        PromptBand.objects.bulk_create(bands)
        self.batch.prompts_new += len(fresh)
        return found | fresh

    def _round_prompts(self, rows: list[Prepared], prompts: dict[bytes, Prompt]) -> dict[bytes, RoundPrompt]:
        stored = RoundPrompt.objects.filter(round=self.round, identity__in={_place_key(row) for row in rows})
        found = {bytes(place.identity): place for place in stored}
        fresh = {}
        for row in rows:
            key = _place_key(row)
            if key not in found and key not in fresh:
                meta = row.taken.meta
                reference = meta.get("reference_answer")
                fresh[key] = RoundPrompt(
                    round=self.round,
                    prompt=prompts[row.prompt_digest],
                    external_id=row.external_id,
                    identity=key,
                    domain=_text(meta.get("domain")),
                    family=_text(meta.get("family")),
                    reference=None if reference is None else canonical.dump(reference),
                )
        RoundPrompt.objects.bulk_create(fresh.values())
        return found | fresh

    def _samplers(self, rows: list[Prepared]) -> dict[bytes, Sampler]:
        stored = Sampler.objects.filter(round=self.round, identity__in={_sampler_key(row) for row in rows})
        found = {bytes(sampler.identity): sampler for sampler in stored}
        fresh = {}
        for row in rows:
            key = _sampler_key(row)
            self.told.note(key, row.taken.meta)
            if key not in found and key not in fresh:
                fresh[key] = Sampler(
                    round=self.round,
                    model=row.model,
                    identity=key,
                    sampling=canonical.dump(row.taken.sampling),
                )
        Sampler.objects.bulk_create(fresh.values())
        return found | fresh

    def _texts(self, rows: list[Prepared]) -> dict[bytes, Text]:
        wanted = {}
        for sample in (row.taken for row in rows):
            for text in (sample.reasoning, sample.answer, sample.raw):
                if text is not None:
                    wanted[canonical.text_digest(text)] = text
        found = {bytes(text.digest): text for text in Text.objects.filter(digest__in=wanted).defer("body")}
        fresh = {
            digest: Text(digest=digest, body=(body := text.encode()), chars=len(text), bytes=len(body))
            for digest, text in wanted.items()
            if digest not in found
        }
        Text.objects.bulk_create(fresh.values())
        return found | fresh


def _place_key(row: Prepared) -> bytes:
    return canonical.digest([row.external_id, row.prompt_digest.hex()])


def _sampler_key(row: Prepared) -> bytes:
    return canonical.digest([row.model, row.taken.sampling])


def _kept(row: Prepared) -> bytes:
    if row.refused is not None:
        return row.refused.text
    shown = {
        "prompt_id": row.external_id,
        "model": row.model,
        "sample_index": row.index,
        "reasoning": row.taken.reasoning,
        "answer": row.taken.answer,
    }
    return json.dumps(shown, ensure_ascii=False).encode()[:2000]


def _outcome(meta: dict[str, Any]) -> str:
    """What the file says of the answer: `outcome`, else its label `correct`; empty where it says nothing."""
    if meta.get("outcome") in Outcome.Value.values:
        return str(meta["outcome"])
    labels = meta.get("labels")
    correct = labels.get("correct") if isinstance(labels, dict) else None
    return {True: Outcome.Value.CORRECT, False: Outcome.Value.WRONG}[correct] if type(correct) is bool else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _short(value: Any) -> str:
    return value.replace("\0", "")[:40] if isinstance(value, str) else ""
