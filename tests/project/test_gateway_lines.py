"""A gateway installs by the lines of the README, from the user and the folders on; the packages themselves are the locks' tests' matter."""

import shutil
import sys
from pathlib import Path

import pytest

from controller.authentication import PrivateKey
from tests.project.repository import ROOT
from tests.project.typing_in import lines_after, typed

COMMAND = Path(sys.executable).with_name("cuadra")


@pytest.mark.whole
def test_the_readme_s_lines_make_a_gateway_that_its_broker_lets_in(tmp_path: Path) -> None:
    for folder in ("etc/systemd/system", "etc/mosquitto/conf.d", "lib"):
        (tmp_path / folder).mkdir(parents=True)
    # Its file says where the policy lies: here, elsewhere.
    shutil.copytree(ROOT / "config", tmp_path / "config")
    file = tmp_path / "config" / "gateway.toml"
    file.write_text(file.read_text().replace("/etc/", f"{tmp_path}/etc/").replace("/var/lib/", f"{tmp_path}/lib/"))

    before, _, script = lines_after("README.md", "**A gateway**").partition("sudo useradd")
    assert "requirements/gateway.txt" in before
    script = f"sudo useradd{script}".replace(" -o cuadra-gateway", "").replace(" -g mosquitto", "").replace("chown -R cuadra-gateway", "ls")
    for place, here in (("/opt/cuadra/bin/cuadra", COMMAND), (" config/", f" {tmp_path}/config/"), ("/etc/", f"{tmp_path}/etc/"),
                        ("/var/lib/", f"{tmp_path}/lib/")):
        assert place in script
        script = script.replace(place, str(here))
    printed = typed(script)

    own = tmp_path / "lib" / "cuadra-gateway"
    assert own.stat().st_mode & 0o777 == 0o700
    assert "zone z3: " in printed
    assert "gateway.toml: zone z3" in printed
    assert PrivateKey.at(own / "gateway.key").public in printed.split()
    assert (tmp_path / "etc/mosquitto/cuadra.passwd").read_text().startswith("gateway:$7$")
    assert (own / "broker.password").stat().st_mode & 0o777 == 0o600
    assert "ExecStart=/opt/cuadra/bin/cuadra gateway run" in (tmp_path / "etc/systemd/system/cuadra-gateway.service").read_text()
    # Whoever reads the registry's files reads names and numbers; and that user must be able to read them.
    assert str(own) in next(line for line in script.splitlines() if "registry import" in line).split("import ")[1]
