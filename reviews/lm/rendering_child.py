"""The process in which other people's templates and tokenizers run: one JSON object in, one out, line by line.

It is started by `rendering.Renderer` as a script of its own, without the database, the settings or any other module of
ours, under a limit of memory; the parent ends it when an answer takes too long. Nothing else here can stop a template
that loops for ever, or a tokenizer's pattern that backtracks without end.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from typing import Any

MEMORY = 4 * 2**30
GENERATION = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not be taken for an answer
    from tokenizers import Tokenizer
    from transformers.utils.chat_template_utils import render_jinja_template

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    target: dict[str, Any] = {}
    tokenizer: Any = None

    def render(messages: list[Any], **how: Any) -> tuple[str, list[list[int]]]:
        how |= {"chat_template": target["template"], **target["special"]}
        made: Any = render_jinja_template([messages], **how)  # annotated as a string, which it is not
        texts, spans = made
        return str(texts[0]), [list(span) for span in spans[0]] if spans else []

    def ids(text: str, special: bool) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=special).ids if tokenizer else []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        nonlocal target, tokenizer
        if "template" in asked:
            target, tokenizer = asked, None
            if asked["tokenizer"] is not None:
                tokenizer = Tokenizer.from_str(asked["tokenizer"])
                tokenizer.no_truncation()
                tokenizer.no_padding()
            bos = tokenizer.token_to_id(target["special"].get("bos_token", "")) if tokenizer else None
            return {"adds_bos": bos is not None and ids("x", True)[:1] == [bos] if tokenizer else None}
        if "strings" in asked:
            prompt, completion = asked["strings"]
            made: dict[str, Any] = {"prompt": prompt, "whole": prompt + completion, "spans": []}
        else:
            marked = bool(GENERATION.search(target["template"]))
            prompt, _ = render(asked["prompt"], add_generation_prompt=True)
            whole, spans = prompt, list[list[int]]()
            if asked["completion"] is not None:
                conversation = asked["prompt"] + asked["completion"]
                whole, spans = render(conversation, return_assistant_tokens_mask=marked)
            made = {"prompt": prompt, "whole": whole, "spans": spans}
        if tokenizer and asked.get("count"):
            before, after = ids(made["prompt"], "strings" in asked), ids(made["whole"], "strings" in asked)
            same = next(
                (at for at, pair in enumerate(zip(before, after, strict=False)) if len(set(pair)) > 1), None
            )
            shared = min(len(before), len(after)) if same is None else same
            made |= {"tokens": len(after), "shared_tokens": shared, "prompt_tokens": len(before)}
        return made

    for line in sys.stdin.buffer:
        try:
            said = answer(json.loads(line))
        except MemoryError:
            said = {"error": f"it needs more than {MEMORY // 2**30} GiB of memory"}
        except RecursionError:
            said = {"error": "it calls itself too deep"}
        except (
            BaseException
        ) as problem:  # whatever a stranger's template or tokenizer raises is an answer too
            said = {"error": f"{type(problem).__name__}: {problem}"[:500]}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
