"""The `train.py` of a data set's folder: a few lines that train on it with the loss and the length it was checked for."""

from __future__ import annotations

NAME = "train.py"
STEP = 64  # max_length is rounded up to a multiple of it


def script(
    format: str, *, longest: int | None = None, max_length: int | None = None, target: str = ""
) -> str:
    """The script's text.

    longest: the tokens of the longest row, where a tokenizer counted them. max_length: what the trainer was said to
    take, where someone said it. target: whose tokenizer or template the rows were checked with.
    """
    length, why = _length(longest, max_length, target)
    by = f" Its rows were checked with the chat template of {_plain(target)}." if target else ""
    return f'''"""Train on this data set: python train.py MODEL, with trl and torch installed.{by}"""

import sys
from pathlib import Path

import torch
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

gpu = torch.cuda.is_available()
rows = load_dataset(str(Path(__file__).resolve().parent), "{format}", split="train")
# {why}
# The loss is on the completions alone, and no row is packed with another or cut.
loss = dict(max_length={length}, completion_only_loss=True, packing=False)
config = SFTConfig(output_dir="trained", bf16=gpu, use_cpu=not gpu, **loss)
trainer = SFTTrainer(sys.argv[1], args=config, train_dataset=rows)
trainer.train()
trainer.save_model()
'''


def _length(longest: int | None, max_length: int | None, target: str) -> tuple[str, str]:
    if max_length is not None:
        known = f"; the longest row has {longest:,} tokens" if longest else ""
        return str(max_length), f"max_length is the one that was named for this export{known}."
    if longest is not None:
        return (
            str(-(-longest // STEP) * STEP),
            f"The longest row has {longest:,} tokens by the tokenizer of {_plain(target)}; TRL's own 1,024 may cut it.",
        )
    return (
        "None",
        "No tokenizer was named, so lengths are unknown. None cuts nothing; to find the longest row, print "
        "max(map(len, trainer.train_dataset['input_ids'])).",
    )


def _plain(name: str) -> str:
    """A name that ends neither a comment nor a docstring."""
    return "".join(sign for sign in name if sign.isprintable() and sign not in '"\\')
