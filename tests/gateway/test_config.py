"""The gateway's file: the example is right, and a wrong one is told whole."""

from pathlib import Path

import pytest

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.settings_file import read
from gateway.commands import lacking
from gateway.config import GatewayConfig

EXAMPLE = Path("config/gateway.toml")


def test_the_example_is_a_gateway_with_a_modem_the_police_and_webhooks() -> None:
    config = read(EXAMPLE, GatewayConfig)
    assert config.zone == "z3"
    assert config.sms is not None
    assert [modem.name for modem in config.sms.modems] == ["sim1"]
    assert config.dc09 is not None
    assert config.webhook is not None


def test_a_step_that_calls_where_no_modem_may_is_named(tmp_path: Path) -> None:
    policy = read_policy(Path("config/villa-maria/policy.toml"))
    assert list(lacking(policy, ["sms", "dc09"])) == []
    text = Path("config/villa-maria/policy.toml").read_text(encoding="utf-8")
    called = text.replace('roles = ["patrol", "representative"]', 'roles = ["patrol", "representative"]\nchannels = ["sms", "call"]', 1)
    (tmp_path / "policy.toml").write_text(called, encoding="utf-8")
    [line] = lacking(read_policy(tmp_path / "policy.toml"), ["sms", "dc09"])
    assert "[kinds.panic] steps, #1: by call, and no modem may call" in line
    assert list(lacking(read_policy(tmp_path / "policy.toml"), ["sms", "dc09", "call"])) == []
    assert "tells nobody" in next(iter(lacking(policy, ["dc09"])))


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('zone = "Zone 3"\npolicy = "p"\n[broker]\nport = 0\n[sms]\n[[sms.modems]]\nname = "sim1"\n[dco9]\n', encoding="utf-8")
    with pytest.raises(BadConfig) as raised:
        read(file, GatewayConfig)
    told = "\n".join(raised.value.faults)
    for part in ("zone: found 'Zone 3'", "[broker] port: found 0", "[sms.modems.#1] port: missing", "dco9: unknown"):
        assert part in told
    assert all(str(file) in fault for fault in raised.value.faults)


def test_a_gateway_that_could_tell_nobody_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('zone = "z3"\npolicy = "p"\ndatabase = "mysql://x"\n', encoding="utf-8")
    with pytest.raises(BadConfig) as raised:
        read(file, GatewayConfig)
    assert len(raised.value.faults) == 2
    assert "nobody could be told" in str(raised.value)
    assert "mysql" in str(raised.value)


@pytest.mark.parametrize("database", ["sqlite:////a/b.db", "postgresql:///cuadra", "postgresql+psycopg://cuadra@host/cuadra"])
def test_a_database_is_named_as_the_other_commands_name_it(tmp_path: Path, database: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'zone = "z3"\npolicy = "p"\ndatabase = "{database}"\n[webhook]\n', encoding="utf-8")
    assert read(file, GatewayConfig).database == database


def test_a_policy_that_is_not_there_is_said(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'zone = "z3"\npolicy = "{tmp_path / "none.toml"}"\n[webhook]\n', encoding="utf-8")
    with pytest.raises(BadConfig, match="correct the path"):
        read_policy(read(file, GatewayConfig).policy)
