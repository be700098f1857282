#!/bin/sh
# The default stack, by name: steps run on this machine, artifacts are stored in ZenML's folder. Needs nothing.
#   configs/stacks/local.sh
set -eu
. "$(dirname "$0")/common.sh"

component orchestrator vision_zero_local local
component artifact-store vision_zero_local local
stack vision_zero_local --orchestrator vision_zero_local --artifact-store vision_zero_local
