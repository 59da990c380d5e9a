"""A test's own authority, and a server's certificate by it."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path, *, until_s: int, trusted: bool = True) -> ssl.SSLContext:
    """A server's TLS for 127.0.0.1, valid until then; its issuer goes to `folder/ca.pem` when it is to be trusted.

    Certificate and key lie in `folder/server.pem`.
    """
    now, keys = datetime.now(UTC), [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    common = (f"Test issuer {x509.random_serial_number()}", "127.0.0.1")
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in common]
    made = []
    for which, end in ((0, now + timedelta(days=1)), (1, now + timedelta(seconds=until_s))):
        builder = x509.CertificateBuilder().subject_name(names[which]).issuer_name(names[0])
        builder = builder.public_key(keys[which].public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=90)).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(ca=which == 0, path_length=None), critical=True)
        # Python 3.13 asks for these (X.509 strict).
        ours, theirs = (key.public_key() for key in (keys[which], keys[0]))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(ours), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(theirs), critical=False)
        usage = dict.fromkeys(("digital_signature", "key_cert_sign", "crl_sign"), True) | dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
             "decipher_only"), False)
        if which == 0:
            builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        if which:
            host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    issuer, server = (one.public_bytes(serialization.Encoding.PEM) for one in made)
    with (folder / "ca.pem").open("ab") as trust:
        trust.write(issuer if trusted else b"")
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = keys[1].private_bytes(pem, pkcs8, plain)
    (folder / "server.pem").write_bytes(server + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
