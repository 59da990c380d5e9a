"""What the open chain holds of the sealed one: every hour, used or not, a commitment that shows nothing and fixes everything.

The open chain takes in a hash, the sealed chain the salt that opens it. Who may read the open chain alone learns neither how
long the sealed one is nor whether it grew; who may read both sees whether the sealed one was rewritten or shortened since.
"""

import hashlib
from collections.abc import Iterable

from controller.entries import CommitmentOpened, SealedCommitted
from controller.records.journal import Break, Entry, Finding, Head


def commitment(sealed: Head, salt: bytes) -> tuple[SealedCommitted, CommitmentOpened]:
    """The two bodies of one commitment, for the open and for the sealed chain; they belong into one batch.

    sealed: the sealed chain's head before the second is added. salt: 16 fresh random bytes. The commitment is
    `SHA-256("cuadra-commitment-1" ‖ salt ‖ seq as 8 bytes, big-endian ‖ link)`, in hex.
    """
    digest = hashlib.sha256(b"cuadra-commitment-1" + salt + sealed.seq.to_bytes(8, "big") + sealed.link).hexdigest()
    return SealedCommitted(digest), CommitmentOpened(salt.hex(), sealed.seq, sealed.link.hex())


def verify(opened: Iterable[Entry], sealed: Iterable[Entry]) -> list[Finding]:
    """Hold the two chains of a zone, each verified in itself, against each other; the findings are about the sealed one."""
    committed = {entry.body.commitment for entry in opened if isinstance(entry.body, SealedCommitted)}
    findings = []
    links: dict[int, str] = {}
    for entry in sealed:
        links[entry.seq] = entry.link.hex()
        body = entry.body
        if not isinstance(body, CommitmentOpened):
            continue
        if body.seq and links.get(body.seq) != body.link:
            findings.append(Finding(Break.FORKED, body.seq, f"entry {body.seq} is not the one that was committed to in entry {entry.seq}"))
        made = commitment(Head(body.seq, bytes.fromhex(body.link)), bytes.fromhex(body.salt))[0].commitment
        if made in committed:
            committed.remove(made)
        else:
            findings.append(Finding(Break.FORKED, entry.seq, f"entry {entry.seq} opens a commitment that the open chain does not hold"))
    if committed:
        text = f"{len(committed)} commitments of the open chain are opened by no entry of the sealed one: entries are missing at its end"
        findings.append(Finding(Break.TRUNCATED, 0, text))
    return findings
