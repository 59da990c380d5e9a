"""What this node and its broker know each other by: the password, and the certificate of the broker's authority."""

import ssl
from typing import Final, NamedTuple

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from controller.broker_settings import BrokerSettings
from controller.errors import BadConfig

_NOT_LET_IN: Final = frozenset({134, 135})
"""MQTT 5, table 3.1: bad user name or password, not authorized."""
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL 1.1 and later, which the ssl module does not name."""


class BrokerAccess(NamedTuple):
    """What the files held when they were read; None where there is none."""

    password: str | None
    tls: ssl.SSLContext | None


def read(broker: BrokerSettings) -> BrokerAccess:
    """Read the files that the settings name. The disk may hang: not on the event loop.

    Raises BadConfig when one of them cannot be used.
    """
    return BrokerAccess(broker.password(), _tls(broker))


def does_not_let_in(fault: Exception) -> bool:
    """The broker refuses the name or the password."""
    return isinstance(fault, aiomqtt.MqttCodeError) and isinstance(fault.rc, ReasonCode) and fault.rc.value in _NOT_LET_IN


def is_not_vouched_for(fault: Exception) -> bool:
    """The broker's certificate is not of the authority that it was looked for with."""
    return isinstance(fault.__context__, ssl.SSLCertVerificationError)


def _tls(broker: BrokerSettings) -> ssl.SSLContext | None:
    if broker.ca_file is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(broker.ca_file))
    except OSError as fault:
        raise BadConfig([f"[broker] ca_file: {broker.ca_file} cannot be used ({fault}); "
                         "expected the PEM certificate of the broker's authority"]) from fault
    # A node has no clock of its own and comes up in 1970: dates are not checked, for they would mute it. What the
    # gateway says is authenticated message by message; that a certificate has run out is the gateway's to flag.
    context.verify_flags |= _NO_CHECK_TIME
    return context
