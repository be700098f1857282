"""A real vLLM server with nano, on this machine's CPU."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.loopback import free_port
from vision_zero.policy.base_models import nano_folder

NAME = "nano"
SECONDS_TO_START = 600
SAME_PIXELS = ("--mm-processor-kwargs", '{"use_fast": false}')
SAME_LOG_PROBS = ("--logprobs-mode", "processed_logprobs")
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "PYTHONPATH": str(Path(__file__).parent / "shim"),
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_SERVER_DEV_MODE": "1",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}


@dataclass(frozen=True)
class VllmProcess:
    """Where it listens, and its log."""

    url: str
    log: Path


@contextmanager
def vllm_process(
    program: Path, folder: Path, *arguments: str, base: Path | None = None, takes_adapters: bool = True
) -> Iterator[VllmProcess]:
    """A server that is ready to answer, until the block ends.

    Args:
        program: the executable ``vllm``.
        folder: where it may write.
        arguments: of the command line, beside those that all tests need.
        base: the model's folder, if it is not nano's.
        takes_adapters: start it for them.
    """
    port, log = free_port(), folder / "vllm.log"
    command = [
        *(
            str(program),
            "serve",
            str(base or nano_folder()),
            "--served-model-name",
            NAME,
            "--dtype",
            "float32",
            "--port",
            str(port),
        ),
        *("--host", "127.0.0.1", "--max-model-len", "512"),
        *(("--enable-lora", "--max-lora-rank", "16") if takes_adapters else ()),
        "--no-enable-chunked-prefill",  # with it, vLLM's CPU engine ignores the seeds of some requests
        *arguments,
    ]
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | _ENVIRONMENT, stdout=written, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield VllmProcess(f"http://127.0.0.1:{port}/v1", log)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"vLLM did not start:\n{log.read_text(errors='replace')[-3000:]}")
