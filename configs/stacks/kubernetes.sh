#!/bin/sh
# Each step is a pod of a Kubernetes cluster, artifacts are stored in a bucket, images in a registry. A recipe with a schedule becomes a CronJob.
#   BUCKET=s3://my-bucket/vision-zero REGISTRY=registry.example.org/team CONTEXT=my-cluster configs/stacks/kubernetes.sh
# Needs: the extra kubeflow (pip install -c constraints.txt -e '.[kubeflow]'); kubectl's context CONTEXT; a ZenML server that the pods
# reach (zenml login URL); AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment. NAMESPACE: default "zenml"; it must exist.
set -eu
. "$(dirname "$0")/common.sh"

needs CONTEXT "the kubectl context of the cluster"
needs REGISTRY "where images lie, such as registry.example.org/team"
s3_store
component orchestrator vision_zero_kubernetes kubernetes \
    --kubernetes_context="$CONTEXT" --kubernetes_namespace="${NAMESPACE:-zenml}" --synchronous=False
component container-registry vision_zero_registry default --uri="$REGISTRY"
component image-builder vision_zero_builder local
stack vision_zero_kubernetes --orchestrator vision_zero_kubernetes --artifact-store vision_zero_s3 \
    --container_registry vision_zero_registry --image_builder vision_zero_builder
