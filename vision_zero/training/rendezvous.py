"""How a job reaches the other machines that train together, and the rendezvous at which all of them meet."""

from __future__ import annotations

import json
from pathlib import Path

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.machines import MachinesConfig

ANNOUNCED = "rendezvous.json"
"""The file that says where to meet, in the folder of a job; it appears when the job is complete."""


def launch_arguments(machines: MachinesConfig, processes: int, node: int) -> list[str]:
    """torch.distributed.run's arguments on one of the machines; ``processes`` are its own."""
    host, _, port = machines.endpoint.rpartition(":")
    rendezvous = [f"--nnodes={machines.nodes}", f"--node-rank={node}", f"--master-addr={host}", f"--master-port={port}"]
    return [*rendezvous, f"--nproc-per-node={processes}"]


def announce(folder: Path, machines: MachinesConfig, processes: int) -> None:
    """Tell the other nodes of the job in a folder, which must be complete; ``processes`` are those of each node."""
    write_atomically(folder / ANNOUNCED, json.dumps({"machines": machines.model_dump(), "processes": processes}))
