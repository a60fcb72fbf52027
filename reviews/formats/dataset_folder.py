"""A data set's folder: shard names, and the card whose YAML `datasets` reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from reviews.formats import rendered, sft, sft_inline

FORMATS = {sft.NAME: sft, sft_inline.NAME: sft_inline, rendered.NAME: rendered}


@dataclass(frozen=True)
class ShardFile:
    """One shard as card and manifest name it."""

    format: str
    split: str
    file: str
    rows: int
    bytes: int


def shard_name(format: str, split: str, index: int, count: int, sha256: bytes) -> str:
    """`data/sft/train-00000-of-00002-0123456789ab.parquet`.

    The digest is there because `load_dataset` caches a local folder by path and would serve yesterday's rows.
    """
    return f"data/{format}/{split}-{index:05}-of-{count:05}-{sha256.hex()[:12]}.parquet"


def card(
    name: str, shards: list[ShardFile], paragraph: str, facts: list[tuple[str, str]], licences: list[str]
) -> str:
    """The README of a data set: YAML for `datasets`, with exact counts, then what a person should know."""
    formats = list(dict.fromkeys(shard.format for shard in shards))
    infos, configs = [], []
    for place, format in enumerate(formats):
        mine = [shard for shard in shards if shard.format == format]
        splits = list(dict.fromkeys(shard.split for shard in mine))
        infos.append(
            {
                "config_name": format,
                "features": FORMATS[format].FEATURES,
                "splits": [
                    {
                        "name": split,
                        "num_bytes": sum(shard.bytes for shard in mine if shard.split == split),
                        "num_examples": sum(shard.rows for shard in mine if shard.split == split),
                    }
                    for split in splits
                ],
            }
        )
        configs.append(
            {
                "config_name": format,
                **({"default": True} if place == 0 else {}),
                "data_files": [
                    {"split": split, "path": [shard.file for shard in mine if shard.split == split]}
                    for split in splits
                ],
            }
        )
    head: dict[str, Any] = {
        "pretty_name": name,
        "license": "other",
        "license_name": ", ".join(licences) or "not stated",
        "tags": ["reasoning", "rejection-sampling", "winnow"],
        "configs": configs,
        "dataset_info": infos,
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in facts)
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{front}---\n\n# {name}\n\n{paragraph}\n\n| | |\n| --- | --- |\n{table}\n"
