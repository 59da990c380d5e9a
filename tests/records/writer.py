"""A process that commits presses as fast as it can and says after each commit how many are on disk; to be killed."""

import sys

from controller.entries import Chain
from controller.records.store import Store
from tests.records.facts import press, told


def main() -> None:
    url, size = sys.argv[1], int(sys.argv[2])
    store = Store.open(url, "z1")
    seq = store.heads()[Chain.OPEN].seq
    while True:
        store.commit(told(*(press(seq + n + 1) for n in range(size))))
        seq += size
        sys.stdout.write(f"{seq}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
