"""A target: whose template and tokenizer a trainer will use, read from a folder, a file or stored parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG, TEMPLATE = "tokenizer_config.json", "chat_template.jinja"
PROCESSOR_TEMPLATE, TOKENIZER, SPECIAL = "chat_template.json", "tokenizer.json", "special_tokens_map.json"
FILES = (CONFIG, TEMPLATE, PROCESSOR_TEMPLATE, TOKENIZER, SPECIAL)
LONGEST_TEMPLATE = 2**20
LONGEST_TOKENIZER = 128 * 2**20


class TargetError(Exception):
    """A target that cannot be used. `str` says which file, what is wrong with it, and what to do."""


@dataclass(frozen=True)
class Target:
    """A chat template with the tokens that it names. digest: over all of it; another template is another target.

    special: what the template sees beside the messages, such as bos_token and eos_token.
    adds_bos: whether the tokenizer puts BOS before a plain string; None where nothing says so.
    tokenizer: the bytes of tokenizer.json, without which no lengths are known.
    """

    name: str
    template: str
    special: tuple[tuple[str, str], ...] = ()
    adds_bos: bool | None = None
    tokenizer: bytes | None = None

    @property
    def digest(self) -> bytes:
        parts = [self.template.encode(), self.special_bytes(), self.tokenizer or b""]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()

    @property
    def bos(self) -> str:
        return dict(self.special).get("bos_token", "")

    @property
    def eos(self) -> str:
        return dict(self.special).get("eos_token", "")

    def special_bytes(self) -> bytes:
        """The special tokens, and whether BOS is added, as JSON: the second of the three parts to store."""
        said = dict(self.special) | ({} if self.adds_bos is None else {"add_bos_token": self.adds_bos})
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def from_parts(name: str, template: bytes, special: bytes = b"{}", tokenizer: bytes | None = None) -> Target:
    """A target from what was stored of one: template, special_bytes() and tokenizer. Raises TargetError."""
    return _target(name, _text(template, TEMPLATE), _object(special, "special tokens"), tokenizer)


def from_folder(path: Path) -> Target:
    """A target from a tokenizer's folder. Raises TargetError where it has no template, or one that cannot be used."""
    if not path.is_dir():
        raise TargetError(f"{path} is no folder.")
    return from_files(
        path.resolve().name, {name: _read(path / name) for name in FILES if (path / name).is_file()}
    )


def from_template(path: Path) -> Target:
    """A target from one file: a Jinja template, or a tokenizer_config.json that holds one. Raises TargetError.

    Without a tokenizer nothing is known of lengths, and of a bare template no special tokens either.
    """
    name = CONFIG if path.suffix == ".json" else TEMPLATE
    return from_files(path.stem if name == TEMPLATE else path.resolve().parent.name, {name: _read(path)})


def from_path(path: Path) -> Target:
    """A target from a folder or a file, whichever is there. Raises TargetError."""
    return from_folder(path) if path.is_dir() else from_template(path)


def from_files(name: str, files: dict[str, bytes]) -> Target:
    """A target from files by their usual names (`FILES`); others are not read. Raises TargetError."""
    config = _object(files.get(CONFIG, b"{}"), CONFIG)
    special = _object(files.get(SPECIAL, b"{}"), SPECIAL)
    for key, value in config.items():
        if key.endswith("_token"):
            special[key] = value
    template: Any = None
    if TEMPLATE in files:
        template = _text(files[TEMPLATE], TEMPLATE)
    elif PROCESSOR_TEMPLATE in files:
        template = _object(files[PROCESSOR_TEMPLATE], PROCESSOR_TEMPLATE).get("chat_template")
    if template is None:
        template = config.get("chat_template")
    return _target(name, template, special, files.get(TOKENIZER))


def _target(name: str, template: Any, special: dict[str, Any], tokenizer: bytes | None) -> Target:
    if isinstance(template, list):
        names = ", ".join(str(each.get("name")) for each in template if isinstance(each, dict))
        raise TargetError(
            f"{name} holds several templates ({names}), and which one the trainer takes cannot be seen. "
            "Save the one that it will take as a .jinja file and name that."
        )
    if not isinstance(template, str) or not template.strip():
        raise TargetError(
            f"{name} has no chat template: there is none in {TEMPLATE}, {PROCESSOR_TEMPLATE} or {CONFIG}. "
            "Name the folder of a chat model's tokenizer, or a .jinja file."
        )
    if len(template) > LONGEST_TEMPLATE:
        raise TargetError(
            f"The chat template of {name} has {len(template):,} characters; no real one is so long."
        )
    _require_parsable(name, template)
    tokens = {key: _token(value) for key, value in special.items() if key.endswith("_token")}
    adds_bos = special.get("add_bos_token")
    known = tuple(sorted((key, token) for key, token in tokens.items() if token is not None))
    if tokenizer is not None:
        if len(tokenizer) > LONGEST_TOKENIZER:
            raise TargetError(f"{TOKENIZER} of {name} is larger than {LONGEST_TOKENIZER // 2**20} MiB.")
        _object(tokenizer, TOKENIZER)
    return Target(name, template, known, adds_bos if isinstance(adds_bos, bool) else None, tokenizer)


def _token(value: Any) -> str | None:
    """A special token as transformers writes it: a string, or an object with the string as its `content`."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _require_parsable(name: str, template: str) -> None:
    """Only the grammar, which runs nothing of it. What it does is found out by rendering, in a process apart."""
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # `generation` is transformers' own tag; its blocks are parsed here as what they are, plain blocks.
    class Generation(jinja2.ext.Extension):
        tags = {"generation"}

        def parse(self, parser: jinja2.parser.Parser) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    environment = ImmutableSandboxedEnvironment(extensions=[loopcontrols, Generation])
    try:
        environment.parse(template)
    except jinja2.TemplateSyntaxError as problem:
        raise TargetError(
            f"The chat template of {name} is no valid Jinja: line {problem.lineno}: {problem.message}"
        ) from None
    except RecursionError:
        raise TargetError(f"The chat template of {name} is nested too deep to be parsed.") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise TargetError(f"{path} cannot be read: {problem.strerror}.") from None


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        raise TargetError(f"{name} is not UTF-8: byte {problem.start} is wrong.") from None


def _object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(_text(raw, name))
    except (ValueError, RecursionError) as problem:
        raise TargetError(f"{name} is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise TargetError(f"{name} should hold one JSON object, and holds {type(value).__name__}.")
    return value
