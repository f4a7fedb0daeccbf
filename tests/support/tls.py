"""A certificate that a test server shows for 127.0.0.1, and that its clients trust."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

MAKE = (
    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
    "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
)  # fmt: skip


def trusted(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ssl.SSLContext:
    """A server's context; from now on this process trusts it, and nobody else."""
    path = folder / "tls.pem"
    if shutil.which(MAKE[0]) is None:
        pytest.skip("the certificate is made by openssl: `apt-get install openssl`")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = (*MAKE, "-keyout", str(key), "-out", str(certificate))
    subprocess.run(made, check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
