"""What a simulated modem stores, in memories of their own: an index means something only in the memory that is selected (TS 27.005)."""

from simulators.phone_pdu import tpdu_length

Stored = dict[int, tuple[int, str]]
"""Index -> (status: 0 unread, 1 read; PDU)."""


class Memories:
    """The SIM's memory `SM` and, where `reports_in` says so, another one for delivery reports. `AT+CPMS` selects."""

    def __init__(self, capacity: int, reports_in: str) -> None:
        self.of: dict[str, Stored] = {name: {} for name in dict.fromkeys(("SM", reports_in))}
        self.capacity = capacity
        self.selected = "SM"
        self._reports_in = reports_in
        self._waiting: list[tuple[str, str]] = []

    def receive(self, pdu: str, announced: str) -> tuple[str, int] | None:
        """Store a message; where. None when there is no room: the network keeps it until something is deleted."""
        name = self._reports_in if announced == "CDSI" else "SM"
        if len(self.of[name]) >= self.capacity:
            self._waiting.append((pdu, announced))
            return None
        index = next(n for n in range(1, self.capacity + 1) if n not in self.of[name])
        self.of[name][index] = (0, pdu)
        return name, index

    def waiting(self) -> list[tuple[str, str]]:
        """Take what the network kept."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def supported(self) -> list[str]:
        """The answer to `AT+CPMS=?`."""
        names = ",".join(f'"{name}"' for name in self.of)
        return [f'+CPMS: ({names}),("SM"),("SM")', "OK"]

    def storage(self) -> list[str]:
        """The answer to `AT+CPMS?`."""
        counts = ",".join(f'"{name}",{self._count(name)}' for name in (self.selected, "SM", "SM"))
        return [f"+CPMS: {counts}", "OK"]

    def select(self, name: str) -> list[str]:
        """The answer to `AT+CPMS="..."`."""
        if name not in self.of:
            return ["+CMS ERROR: 302"]
        self.selected = name
        return [f"+CPMS: {self._count(name)},{self._count('SM')},{self._count('SM')}", "OK"]

    def listed(self, status: str) -> list[str]:
        """The answer to `AT+CMGL`."""
        lines: list[str] = []
        stored = self.of[self.selected]
        for index, (state, pdu) in sorted(stored.items()):
            if status == "4" or int(status) == state:
                lines += [f"+CMGL: {index},{state},,{tpdu_length(pdu)}\r\n{pdu}"]
                stored[index] = (1, pdu)
        return [*lines, "OK"]

    def read(self, index: int) -> list[str]:
        """The answer to `AT+CMGR`."""
        stored = self.of[self.selected]
        if index not in stored:
            return ["+CMS ERROR: 321"] if not 0 < index <= self.capacity else ["OK"]
        state, pdu = stored[index]
        stored[index] = (1, pdu)
        return [f"+CMGR: {state},,{tpdu_length(pdu)}\r\n{pdu}", "OK"]

    def delete(self, index: int, flag: str | None) -> None:
        """Do what `AT+CMGD` asks."""
        stored = self.of[self.selected]
        if flag and flag != "0":
            for one, (state, _) in list(stored.items()):
                if state == 1 or flag == "4":
                    del stored[one]
        else:
            stored.pop(index, None)

    def _count(self, name: str) -> str:
        return f"{len(self.of[name])},{self.capacity}"
