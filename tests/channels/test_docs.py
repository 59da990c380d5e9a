"""The page about channels names every setting, with the value that it really has, and its example runs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.settings_file import convert
from gateway.channels.apprise import AppriseSettings
from gateway.channels.cap import CapSettings
from gateway.channels.dc09 import Dc09Settings
from gateway.channels.http_post import signature
from gateway.channels.webhook import WebhookSettings

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
TABLES: dict[str, Any] = {}
for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
    TABLES |= tomllib.loads(block)


@pytest.mark.parametrize(("table", "struct"), [
    ("dc09", Dc09Settings), ("cap", CapSettings), ("webhook", WebhookSettings), ("apprise", AppriseSettings),
])
def test_every_setting_is_named_with_its_value(table: str, struct: type[msgspec.Struct]) -> None:
    shown = convert(TABLES[table], struct, "docs/channels.md")
    assert set(TABLES[table]) == {field.encode_name for field in msgspec.structs.fields(struct)}
    defaults = {f.name: f.default for f in msgspec.structs.fields(struct) if f.default is not msgspec.NODEFAULT}
    assert {name: getattr(shown, name) for name in defaults} == defaults


def test_the_example_of_checking_a_signature_does() -> None:
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], names)  # noqa: S102 (the page's own example)
    now = int(names["time"].time())
    header = signature(b"s3cret", b"{}", now)
    assert names["genuine"](header, b"{}", b"s3cret")
    assert not names["genuine"](header, b"{ }", b"s3cret")
    assert not names["genuine"](header, b"{}", b"other")
    assert not names["genuine"](signature(b"s3cret", b"{}", now - 1000), b"{}", b"s3cret")
