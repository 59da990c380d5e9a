"""Putting a policy in force, and what is in force already: none under which somebody's press would reach no one, or too late, is taken.

One that was in force goes on whatever becomes of the registry, and is a fault until it is mended: a gateway without a policy tells nobody.
"""

from collections.abc import Iterable
from typing import Final

from controller.rules.beforehand import reach
from controller.rules.beforehand.budget import late_rings
from controller.rules.beforehand.reach import Case
from controller.rules.desk import Desk, Network
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.policy import Policy
from controller.rules.signs import Signs

REACHES_NOBODY: Final = "reaches-nobody"
TOO_SLOW: Final = "too-slow"
REFUSED: Final = ("gateway/policy", "policy-refused")
DAY_MS: Final = 86_400_000
"""The coming week is looked through once a day: what is a gap in it may come nearer without any change."""


def refused(desk: Desk, policy: Policy) -> bool:
    """Whether a policy that is to be put in force may not be; then that is a fault, with the case that shows it, and all stays as it is."""
    network = Network(desk.registry, policy)
    cases = reach.unreached(network, desk.now.utc_ms, first=desk.state.suspicions.first)
    for secret in (False, True):
        shown = [case for case in cases if case.by_exclusion == secret]
        end_fault(desk, *REFUSED, secret=secret)
        if shown:
            raise_fault(desk, *REFUSED, f"{policy.version}: {_told(shown, network)}", secret=secret)
    late = list(late_rings(network, desk.paces, desk.now.utc_ms))
    if late and not cases:
        raise_fault(desk, *REFUSED, f"{policy.version}: {late[0]}")
    return bool(cases or late)


def look(desk: Desk, signs: Signs) -> None:
    """Raise what the policy in force lets reach nobody, and end what it does no more. Called at each change, and once a day."""
    signs.reach_at_ms = desk.at_ms + DAY_MS
    found: dict[bool, dict[str, list[Case]]] = {False: {}, True: {}}
    for case in reach.unreached(desk.network, desk.now.utc_ms, first=desk.state.suspicions.first):
        found[case.by_exclusion].setdefault(f"policy/{case.kind}", []).append(case)
    for secret, standing in ((False, desk.state.fault_of), (True, desk.state.sealed_faults)):
        for subject, code in list(standing):
            if code == REACHES_NOBODY and subject not in found[secret]:
                end_fault(desk, subject, code, secret=secret)
        for subject, cases in sorted(found[secret].items()):
            raise_fault(desk, subject, REACHES_NOBODY, _told(cases, desk.network), secret=secret)
    look_at_paces(desk)


def look_at_paces(desk: Desk) -> None:
    """Raise which rings of the policy in force cannot be told in its time any more, and end what can. Called also when a channel's pace changed."""
    late = {f"policy/{one.kind}": str(one) for one in reversed(list(late_rings(desk.network, desk.paces, desk.now.utc_ms)))}
    for subject, code in list(desk.state.fault_of):
        if code == TOO_SLOW and subject not in late:
            end_fault(desk, subject, code)
    for subject, detail in sorted(late.items()):
        raise_fault(desk, subject, TOO_SLOW, detail)


def _told(cases: Iterable[Case], network: Network) -> str:
    """The first case in words; of a silent kind without the blocks, which would say where its buttons are."""
    case = next(iter(cases))
    silent = case.kind in network.policy.kinds and network.policy.is_silent(case.kind)
    return reach.in_words(case._replace(blocks=()) if silent else case, network)
