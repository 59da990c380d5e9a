"""`cuadra policy`, as somebody types it: checked against the registry, explained, put in force."""

import shutil
from pathlib import Path

import pytest

from controller.public_numbers import is_public
from tests.typed import Cuadra

EXAMPLE = Path(__file__).parents[2] / "config" / "villa-maria"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example district, to be edited."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "district"))


def edit(file: Path, found: str, instead: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert found in text
    file.write_text(text.replace(found, instead), encoding="utf-8")


def without(file: Path, *beginnings: str) -> None:
    """The lines that begin so are taken out."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(beginnings)), encoding="utf-8")


def test_the_example_reaches_somebody_everywhere(cuadra: Cuadra) -> None:
    done = cuadra("policy", "check", "--registry", EXAMPLE, "--zone", "z3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("zone z3: every press of the coming week reaches somebody")


def test_a_press_that_would_reach_no_one_is_shown_as_a_case(cuadra: Cuadra, folder: Path) -> None:
    own = '[zones.z3.kinds.medical]\nsteps = [{ after_s = 0, roles = ["civil-defence"] }]\n'
    (folder / "own.toml").write_text((folder / "policy.toml").read_text(encoding="utf-8") + own, encoding="utf-8")
    done = cuadra("policy", "check", folder / "own.toml", "--registry", folder)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "zone z3, block" in line
    assert line.endswith(", medical, at any time: nobody: no member is civil-defence")


def test_a_zone_that_the_district_does_not_have_is_a_fault(cuadra: Cuadra, folder: Path) -> None:
    (folder / "policy.toml").write_text((folder / "policy.toml").read_text(encoding="utf-8") + "[zones.z9.times]\ntaken_s = 600\n", encoding="utf-8")
    done = cuadra("policy", "check", "--registry", folder)
    assert done.returncode == 2
    assert "[zones.z9]: the district has no such zone" in done.stderr


def test_whom_a_press_tells_is_a_timeline_with_reasons(cuadra: Cuadra) -> None:
    done = cuadra("policy", "explain", "--registry", EXAMPLE, "--block", "z1b03", "--kind", "panic", "--at", "sat 02:10")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("panic in z1b03 (")
    assert "pressed Sat 02:10" in lines[0]
    assert "  +   0 s  02:10:00  z1pat5 (Ronda 1-5; patrol)  sms  ring 1, at once; on duty for the block, Fri 22:00 to Sat 06:10" in lines
    assert not any("z1pat1 " in line for line in lines)
    assert "  +  75 s  02:11:15  z1coord (Central 1; coordinator)  sms  ring 2: nobody had taken it; always on duty for the block" in lines
    assert any(line.startswith("  the last ring again so every 180 s") for line in lines)


def test_the_shift_that_comes_on_meanwhile_is_in_the_timeline(cuadra: Cuadra) -> None:
    done = cuadra("policy", "explain", "--registry", EXAMPLE, "--block", "z1b03", "--kind", "panic", "--at", "sat 05:50")
    assert "  + 600 s  06:00:00  z1pat1 (Ronda 1-1; patrol)  sms  comes on duty now" in done.stdout.splitlines()


def test_the_same_in_spanish(cuadra: Cuadra) -> None:
    done = cuadra("policy", "explain", "--registry", EXAMPLE, "--block", "z1b03", "--kind", "panic", "--at", "sáb 02:10", "--language", "es")
    assert "pulsado sáb 02:10; nadie responde" in done.stdout
    assert "anillo 2: nadie lo había tomado" in done.stdout


def test_a_silent_kind_is_explained_to_its_circle_alone(cuadra: Cuadra) -> None:
    words = ("policy", "explain", "--registry", EXAMPLE, "--block", "z1b03", "--kind", "violence", "--at", "02:10")
    refused = cuadra(*words)
    assert refused.returncode == 2
    assert (refused.stdout, "--silent" in refused.stderr) == ("", True)
    shown = cuadra(*words, "--silent")
    assert shown.returncode == 0
    assert "Reserved" in shown.stderr
    assert "siren" not in shown.stdout
    assert "patrol" not in shown.stdout


@pytest.mark.parametrize(("option", "value", "said"), [
    ("--block", "z1b99", "no zone of the registry has it"), ("--kind", "flood", "the policy has none"), ("--at", "someday", "no moment"),
])
def test_what_is_meant_must_be_there(cuadra: Cuadra, option: str, value: str, said: str) -> None:
    words = {"--block": "z1b03", "--kind": "panic", "--at": "now", option: value}
    done = cuadra("policy", "explain", "--registry", EXAMPLE, *(word for pair in words.items() for word in pair))
    assert done.returncode == 2
    assert said in done.stderr


def test_no_machine_dials_a_public_emergency_number_without_an_agreement(cuadra: Cuadra, folder: Path) -> None:
    edit(folder / "members.csv", "format=adm-cid | sms:+51900000108", "format=adm-cid | sms:105")
    for words in (("registry", "check", folder, "--zone", "z1"), ("policy", "check", "--registry", folder, "--zone", "z1")):
        done = cuadra(*words)
        assert done.returncode == 2
        assert "public emergency number" in done.stderr
        assert "agreement" in done.stderr
        assert "105" not in done.stderr.replace("+51900000105", "")
    edit(folder / "policy.toml", 'agreement = ""', 'agreement = "Convenio 12-2026"')
    assert cuadra("registry", "check", folder, "--zone", "z1").returncode == 0
    assert cuadra("policy", "check", "--registry", folder, "--zone", "z1").returncode == 0


@pytest.mark.parametrize(("address", "public"), [
    ("105", True), ("+51105", True), ("0051105", True), ("1 0 5", True), ("+51900000105", False), ("9105", False), ("+1911", True),
])
def test_a_public_number_is_known_however_it_is_written(address: str, public: bool) -> None:
    assert is_public(address, ("105", "911")) == public


def test_a_short_number_that_is_no_emergency_number_is_no_phone(cuadra: Cuadra, folder: Path) -> None:
    edit(folder / "members.csv", "format=adm-cid | sms:+51900000108", "format=adm-cid | sms:4321")
    done = cuadra("registry", "check", folder, "--zone", "z1")
    assert (done.returncode, "4 characters that are no sms address" in done.stderr) == (2, True)


@pytest.fixture
def records(cuadra: Cuadra, folder: Path, tmp_path: Path) -> Path:
    """A database with zones 1 and 3."""
    file = tmp_path / "records.db"
    done = cuadra("registry", "import", folder, "--database", file, "--zone", "z1", "--zone", "z3")
    assert done.returncode == 0, done.stderr
    return file


def test_a_policy_is_put_whole_or_not_at_all(cuadra: Cuadra, folder: Path, records: Path) -> None:
    nothing = cuadra("policy", "show", "--database", records, "--zone", "z3")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    own = folder / "own.toml"
    text = (folder / "policy.toml").read_text(encoding="utf-8")
    own.write_text(text + '[zones.z3.kinds.medical]\nsteps = [{ after_s = 0, roles = ["civil-defence"] }]\n', encoding="utf-8")
    refused = cuadra("policy", "put", own, "--database", records)
    assert refused.returncode == 2
    assert "zone z3, block" in refused.stderr
    assert "zone z1" not in refused.stderr
    assert cuadra("policy", "show", "--database", records, "--zone", "z1").stdout == ""
    done = cuadra("policy", "put", folder / "policy.toml", "--database", records, "--author", "rosa")
    assert done.returncode == 0, done.stderr
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == ["zone z1", "zone z3"]
    shown = cuadra("policy", "show", "--database", records, "--zone", "z3").stdout.split("\t")
    assert (shown[0], shown[3]) == ("1", "rosa\n")
    assert cuadra("policy", "show", "--database", records, "--zone", "z3", "--text").stdout == text
    explained = cuadra("policy", "explain", "--database", records, "--block", "z3b01", "--kind", "panic", "--at", "sat 02:10")
    assert "  +   0 s" in explained.stdout


def test_a_public_number_in_the_database_is_found_when_a_policy_is_put(cuadra: Cuadra, folder: Path, tmp_path: Path) -> None:
    text = (folder / "policy.toml").read_text(encoding="utf-8")
    edit(folder / "members.csv", "format=adm-cid | sms:+51900000108", "format=adm-cid | sms:105")
    edit(folder / "policy.toml", 'agreement = ""', 'agreement = "Convenio 12-2026"')
    file = tmp_path / "records.db"
    assert cuadra("registry", "import", folder, "--database", file, "--zone", "z1").returncode == 0
    (folder / "old.toml").write_text(text, encoding="utf-8")
    refused = cuadra("policy", "put", folder / "old.toml", "--database", file)
    assert refused.returncode == 2
    assert "zone z1, member z1pnp: their sms contact is a public emergency number" in refused.stderr
    assert cuadra("policy", "put", folder / "policy.toml", "--database", file).returncode == 0
