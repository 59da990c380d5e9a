"""Which policy the zone goes by: the one in force by its journal, and the one that is to be put in force."""

import logging
from pathlib import Path

from sqlalchemy import Engine

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import policy_store
from controller.rules.beforehand.in_force import REFUSED
from controller.rules.inputs import PartFailed, PolicyChanged, ZoneInput
from controller.rules.policy import Policy, earlier
from controller.rules.state import ZoneState

logger = logging.getLogger(__name__)


class Policies:
    """The zone's policies. first: what the rules begin with: the one that was in force or, in a zone that has had none, the one it is to have."""

    def __init__(self, engine: Engine, zone: str, file: Path, state: ZoneState) -> None:
        """file: the policy of a zone for which none was put. Raises BadConfig when there is none at all; Unavailable."""
        self._engine = engine
        self._zone = zone
        self._rev = 0
        in_force = earlier(state.policies.get(state.policy, ""), zone) if state.policy else None
        self._news = self.news()
        if not self._rev:
            self._news = [self._of_file(file, needed=in_force is None)]
        put = next((one.policy for one in self._news if isinstance(one, PolicyChanged)), None)
        self.first = in_force or put or read_policy(file, zone)
        if self._news == [PolicyChanged(self.first)]:
            self._news = []
        logger.info("zone %s: policy %s", zone, self.first.version)

    def at_start(self) -> list[ZoneInput]:
        """What the rules are to hear when they have started."""
        return self._news

    def news(self) -> list[ZoneInput]:
        """What the rules are to hear of a policy that was put since the last call. Raises Unavailable."""
        if policy_store.newest_rev(self._engine, self._zone) == self._rev:
            return []
        put = policy_store.newest(self._engine, self._zone)
        if put is None:
            return []
        self._rev = put.rev
        logger.info("zone %s: policy %s was put, revision %d", self._zone, put.version, put.rev)
        try:
            return [PolicyChanged(Policy.parse(put.text, f"policy {put.version}", self._zone))]
        except BadConfig as fault:
            return [_unreadable(fault)]

    def _of_file(self, file: Path, *, needed: bool) -> ZoneInput:
        try:
            return PolicyChanged(read_policy(file, self._zone))
        except BadConfig as fault:
            if needed:
                raise
            # Better last night's policy than no gateway.
            return _unreadable(fault)


def _unreadable(fault: BadConfig) -> PartFailed:
    logger.error("the new policy is not used: %s", fault)
    return PartFailed(*REFUSED, fault.faults[0][:200])
