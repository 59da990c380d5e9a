"""One zone on this machine: the files of its gateway and of its nodes below a folder, from a registry folder.

The demo and the tests of whole processes start real gateways and nodes from these files; nothing in them says that it is not
the street.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from controller.authentication import PrivateKey
from controller.records import database, registry_csv
from controller.records.registry_store import Change
from simulators import demo_keys

EXAMPLE: Final = Path(__file__).parents[1] / "config" / "villa-maria"
"""The example district's folder."""

SIREN_PIN: Final = 23
STROBE_PIN: Final = 24
BUZZER_PIN: Final = 18
BUTTON_PINS: Final = (17, 5, 6, 12, 19, 20)
LIGHT_PINS: Final = (22, 13, 16, 21, 25, 26)


class Site:
    """A zone's folder. gateway_file: its gateway.toml. database: its URL."""

    def __init__(self, folder: Path, zone: str, broker_port: int, url: str | None = None) -> None:
        """url: of the records, where they are not to be an SQLite file below the folder."""
        self.folder = folder
        self.zone = zone
        self.broker_port = broker_port
        folder.mkdir(parents=True, exist_ok=True)
        self.database = url or f"sqlite:///{folder / 'gateway.db'}"
        self.people_key = folder / "people.key"
        self.gateway_file = folder / "gateway.toml"
        self._gateway_key = PrivateKey.at(folder / "gateway.key")

    def bring_in(self, source: Path = EXAMPLE, changed: Mapping[str, str] | None = None) -> None:
        """Import the zone's part of a registry folder.

        changed: texts that are put in place of others in members.csv, e.g. the example's ports of the police's receivers.
        Raises BadConfig as `cuadra registry import` does.
        """
        files = self.folder / "registry"
        files.mkdir(exist_ok=True)
        for file in source.glob("*.csv"):
            text = file.read_text(encoding="utf-8")
            for old, new in (changed or {}).items() if file.name == "members.csv" else ():
                text = text.replace(old, new)
            (files / file.name).write_text(text, encoding="utf-8")
        engine = database.connect(self.database)
        database.migrate(engine)
        read = registry_csv.read(files, [self.zone])
        registry_csv.bring_in(engine, self.people_key, read, Change("site", "csv", 0))
        engine.dispose()

    def write_gateway(self, channels: Iterable[str], policy: Path = EXAMPLE / "policy.toml") -> Path:
        """Write gateway.toml. channels: the tables of the ways it can tell people, as TOML."""
        self.gateway_file.write_text("\n".join([
            f'zone = "{self.zone}"', f'policy = "{policy}"', f'database = "{self.database}"',
            "[broker]", 'host = "127.0.0.1"', f"port = {self.broker_port}",
            "[keys]", f'gateway = "{self.folder / "gateway.key"}"', f'people = "{self.people_key}"',
            *channels, "",
        ]), encoding="utf-8")
        return self.gateway_file

    def write_node(self, node: str, *, pins_port: int | None = None, source: Path = EXAMPLE, card: str = "") -> Path:
        """Write node.toml of one of the zone's nodes, with its inputs as the registry has them and the example's key.

        pins_port: of the process that stands for its pins; None: gpiozero's mock pins, in the node's own process.
        card: another folder than the one named after the node, for a second device that is set up as the same node.
        """
        folder = self.folder / (card or node)
        folder.mkdir(exist_ok=True)
        demo_keys.write(node, folder / "node.key")
        with (source / "inputs.csv").open(encoding="utf-8", newline="") as file:
            inputs = [(row["input"], row["kind"]) for row in csv.DictReader(file) if row["node"] == node]
        pins = ["[pins]", 'driver = "mock"'] if pins_port is None else ["[pins]", 'driver = "pigpio"', f"port = {pins_port}"]
        lines = [
            f"buzzer = {BUZZER_PIN}", f'data = "{folder / "data"}"',
            "[identity]", f'zone = "{self.zone}"', f'node = "{node}"', f'gateway_public_key = "{self._gateway_key.public}"',
            f'key_file = "{folder / "node.key"}"',
            "[broker]", 'host = "127.0.0.1"', f"port = {self.broker_port}",
            *pins,
            "[siren]", f"pin = {SIREN_PIN}", f"strobe = {STROBE_PIN}",
        ]
        for (name, kind), pin, light in zip(inputs, BUTTON_PINS, LIGHT_PINS, strict=False):
            lines += [f"[inputs.{name}]", f"pressed = {pin}", f'kind = "{kind}"', f"light = {light}"]
        path = folder / "node.toml"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path
