"""Entries about what decisions stand on (registry, policy, exclusions), the gateway's lives, and what one chain says of the other."""

from msgspec import Struct


class RegistryInForce(Struct, frozen=True):
    """From here on decisions are made from this registry."""

    rev: int
    version: str


class PolicyInForce(Struct, frozen=True):
    """From here on decisions are made under this policy. text: the policy whole, as TOML."""

    version: str
    text: str


class Exclusion(Struct, frozen=True):
    """Whom a silent press at one input must never reach. An item of `ExclusionsInForce`."""

    node: str
    input: str
    members: tuple[str, ...]


class ExclusionsInForce(Struct, frozen=True, omit_defaults=True):
    """In the sealed chain: from here on these exclusions hold, and no others."""

    exclusions: tuple[Exclusion, ...] = ()


class GatewayStarted(Struct, frozen=True):
    """A new life of the gateway."""

    version: str


class SealedCommitted(Struct, frozen=True):
    """What the sealed chain's head was: SHA-256 over a salt kept in the sealed chain, its length and its head's link."""

    commitment: str


class CommitmentOpened(Struct, frozen=True):
    """In the sealed chain: the salt of a commitment, so that who may read it can check it. seq, link: the head it names."""

    salt: str
    seq: int
    link: str
