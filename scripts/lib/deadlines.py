"""The devnet's season with other deadlines, for stages where only travel passes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Of a season, in seconds."""

    challenge_period: int
    response_window: int
    proof_window: int
    disproof_period: int = 3_600
    record_window: int = 10_800  # the least that goes with such a disproof period

    def profile(self, folder: Path) -> Path:
        """The devnet's profile with these deadlines, as a file that `deploy --profile` takes."""
        devnet = resources.files("chainbeasts.backend.chain.profiles").joinpath("devnet.toml")
        wanted = asdict(self)
        lines = []
        for line in devnet.read_text("utf-8").splitlines():
            name = line.partition(" =")[0]
            lines.append(f"{name} = {wanted.pop(name)}" if name in wanted else line)
        assert not wanted
        path = folder / "patient.toml"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path


PATIENT = Deadlines(challenge_period=7_200, response_window=3_600, proof_window=3_600)
"""Longer than any run lasts."""
