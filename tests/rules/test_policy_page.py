"""docs/policy.md says every key of the policy, with its default, and none that there is not."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec import Struct

from controller.registry import Role
from controller.rules import policy, policy_kinds, policy_parts

PAGE = Path("docs/policy.md").read_text(encoding="utf-8")
TABLES: dict[str, type[Struct]] = {
    "`[kinds.<name>]`": policy_kinds.Kind, "`[[kinds.<name>.steps]]`": policy_kinds.Step, "`codes`": policy_kinds.Codes,
    "`[faults_to.of.<fault>]`": policy_parts.FaultChange, "`[kinds.<name>.neighbours]`": policy_kinds.Neighbours,
}
FILE = policy._File  # noqa: SLF001 (the schema itself)


def tables() -> dict[str, type[Struct]]:
    """Each heading with the struct whose keys stand below it: those of the file's own tables by the types of its fields."""
    found = dict(TABLES)
    for field in msgspec.structs.fields(FILE):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            found[f"`[{field.name}]`"] = field.type
    return found


def rows(heading: str) -> dict[str, str]:
    """Key -> what the second column says."""
    assert f"### {heading}\n" in PAGE, f"docs/policy.md has no heading ### {heading}"
    section = PAGE.split(f"### {heading}\n")[1].split("\n### ")[0]
    found: dict[str, str] = {}
    for keys, default in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*?) \|", section, flags=re.MULTILINE):
        for key in re.findall(r"`(\w+)`", keys):
            found[key] = default
    return found


def written(field: msgspec.structs.FieldInfo) -> str:
    """The default as it stands on the page."""
    if field.required:
        return "needed"
    value = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    return f"`{json.dumps(msgspec.to_builtins(value), ensure_ascii=False)}`"


@pytest.mark.parametrize("heading", tables())
def test_every_key_stands_on_the_page_with_its_default(heading: str) -> None:
    found = rows(heading)
    fields = {field.name: field for field in msgspec.structs.fields(tables()[heading])}
    assert set(found) == set(fields)
    for name, field in fields.items():
        if field.default is not None:
            assert found[name] == written(field), name


def test_the_files_own_keys_stand_there() -> None:
    assert set(rows("The file")) == {field.name for field in msgspec.structs.fields(FILE)}


def test_the_pages_example_is_a_policy() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    district = policy.Policy.parse(Path("config/villa-maria/policy.toml").read_text(encoding="utf-8") + example)
    assert district.for_zone("z3").kinds["panic"].enough == 3


def test_every_role_and_channel_is_named() -> None:
    named = PAGE.split("## Every key")[1].split("###")[0]
    for word in (*Role, *get_args(policy_kinds.ChannelName)):
        assert f"`{word}`" in named, word
