"""Settings of training on several machines."""

from __future__ import annotations

from pydantic import Field, field_validator

from vision_zero.config.base import Config


class MachinesConfig(Config):
    """Several machines that train together; ``vision-zero train-node`` runs on each but the one whose step trains.

    All have this version of the project, the same base, and a shared folder under the same path.
    """

    endpoint: str
    """``host:port`` on the machine whose step trains, where torchrun's rendezvous listens; the others must reach it."""
    nodes: int = Field(2, ge=2)
    """Machines, with equal shares of ``num_processes``."""
    folder: str
    """The shared folder, in which jobs are handed over."""

    @field_validator("endpoint")
    @classmethod
    def _has_a_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"{value!r} is not host:port")
        return value
