"""The policy file: every fault of it is named with its place; the district's own is whole."""

import pytest

from controller.errors import BadConfig
from controller.registry import Input
from controller.rules.policy import Policy
from tests.rules.night import POLICY, boot_of


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(BadConfig) as caught:
        Policy.parse(text, "policy.toml")
    return caught.value.faults


def test_the_districts_policy_is_whole_and_no_two_sirens_sound_alike() -> None:
    policy = Policy.parse(POLICY)
    assert set(policy.kinds) >= {"panic", "fire", "medical", "violence", "extortion", "tamper", "test"}
    patterns = [kind.pattern for kind in policy.kinds.values() if kind.audible]
    assert len(set(patterns)) == len(patterns)
    assert {name for name, kind in policy.kinds.items() if kind.silent} == {"violence", "extortion"}
    assert Policy.parse(POLICY + "\n").version != policy.version


@pytest.mark.parametrize(("found", "instead", "place", "said"), [
    ('roles = ["patrol", "representative"]', 'roles = ["patrols"]', "kinds.panic", "patrols"),
    ("after_s = 120\nwithin_s = 60\nroles = [\"coordinator\", \"serenazgo\"]", "after_s = -1\nroles = [\"coordinator\"]", "kinds.panic", "-1"),
    ('roles = ["trained-violence"]\non_duty = false', 'roles = ["coordinator"]', "kinds.violence", "coordinator"),
    ('channels = ["dc09", "cap", "webhook", "sms"]', 'channels = ["pigeon"]', "police", "pigeon"),
    ("pattern = [[700, 300]]\n", "", "kinds.panic", "pattern"),
    ("pattern = [[700, 300]]", "pattern = [[250, 250], [250, 250], [250, 1250]]", "kinds.", "same as of"),
    ("pattern = [[700, 300]]", "pattern = [[60000, 0]]", "kinds.panic", "continuous"),
    ('group = "violence"\n', 'siren = true\ngroup = "violence"\n', "kinds.violence", "siren"),
    ('group = "violence"\n', "", "kinds.violence", "group"),
    ('forced = "extortion"', 'forced = "panic"', "forced", "panic"),
    ("rank = 1\n", "rank = 1\nrnak = 2\n", "kinds.", "rnak"),
])
def test_a_mistake_is_named_with_its_place(found: str, instead: str, place: str, said: str) -> None:
    assert found in POLICY
    faults = faults_of(POLICY.replace(found, instead, 1))
    assert any(place in fault and said in fault and fault.startswith("policy.toml") for fault in faults), faults


def test_all_faults_are_named_together() -> None:
    text = POLICY.replace('forced = "extortion"', 'forced = "nobody"').replace("pattern = [[700, 300]]\n", "")
    assert len(faults_of(text)) == 2


def test_a_kind_without_steps_is_refused() -> None:
    start = POLICY.index("[[kinds.medical.steps]]")
    end = POLICY.index("# Violence at home")
    assert any("kinds.medical" in fault and "steps" in fault for fault in faults_of(POLICY[:start] + POLICY[end:]))


def test_what_is_no_toml_says_where() -> None:
    [fault] = faults_of("[kinds\n")
    assert "line 1" in fault


def test_a_node_is_told_what_it_must_know() -> None:
    policy = Policy.parse(POLICY)
    settings = policy.settings(boot_of("x"), 3, [Input("b12n1", "b1", "panic"), Input("b12n1", "b2", "not-a-kind")])
    assert (settings.rev, settings.beat_s, list(settings.inputs)) == (3, 20, ["b1"])
    assert settings.kinds["panic"].pattern
    assert not settings.kinds["violence"].audible
