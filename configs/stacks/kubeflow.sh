#!/bin/sh
# Each step is a container of a Kubeflow pipeline, artifacts are stored in a bucket, images in a registry. A recipe with a schedule becomes
# a recurring run.
#   BUCKET=s3://my-bucket/vision-zero REGISTRY=registry.example.org/team KUBEFLOW=https://kubeflow.example.org/pipeline \
#       configs/stacks/kubeflow.sh
# Needs: the extra kubeflow (pip install -c constraints.txt -e '.[kubeflow]'); a ZenML server that the pods reach (zenml login URL);
# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.
set -eu
. "$(dirname "$0")/common.sh"

needs KUBEFLOW "the address of the Kubeflow Pipelines API, such as https://kubeflow.example.org/pipeline"
needs REGISTRY "where images lie, such as registry.example.org/team"
s3_store
# ZenML finds the flavor's class below the folder that this is run in.
cd "$(dirname "$0")/../.."
zenml orchestrator flavor describe vision_zero_kubeflow > /dev/null 2>&1 ||
    zenml orchestrator flavor register configs.stacks.kubeflow_flavor.VisionZeroKubeflowFlavor
component orchestrator vision_zero_kubeflow vision_zero_kubeflow --kubeflow_hostname="$KUBEFLOW" --synchronous=False
component container-registry vision_zero_registry default --uri="$REGISTRY"
component image-builder vision_zero_builder local
stack vision_zero_kubeflow --orchestrator vision_zero_kubeflow --artifact-store vision_zero_s3 \
    --container_registry vision_zero_registry --image_builder vision_zero_builder
