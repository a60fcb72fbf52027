"""Small targets of our own: a template in the style of many, and a tokenizer of bytes."""

from __future__ import annotations

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from reviews.lm.targets import Target

CHAT = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>\n{{ message.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = (("bos_token", "<s>"), ("eos_token", "<|im_end|>"))


def target(template: str = CHAT, **parts) -> Target:
    return Target("small", template, **{"special": SPECIAL, **parts})


def tokenizer(*, adds_bos: bool = False) -> bytes:
    """A tokenizer.json that makes one token of each byte and of each special token."""
    vocabulary = {sign: number for number, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(
        [AddedToken(token, special=True) for token in ("<s>", "<|im_start|>", "<|im_end|>")]
    )
    if adds_bos:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", made.token_to_id("<s>"))]
        )
    return made.to_str().encode()


def folder(path, *, template: str = CHAT, **config):
    """A tokenizer's folder as transformers saves it."""
    path.mkdir(exist_ok=True)
    said = {"bos_token": "<s>", "eos_token": {"content": "<|im_end|>", "special": True}, **config}
    (path / "tokenizer_config.json").write_text(json.dumps(said))
    (path / "chat_template.jinja").write_text(template)
    (path / "tokenizer.json").write_bytes(tokenizer())
    return path
