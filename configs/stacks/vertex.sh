#!/bin/sh
# Each step is a job of Google's Vertex AI Pipelines, artifacts are stored in a bucket there, images in its registry.
#   BUCKET=gs://my-bucket/vision-zero PROJECT=my-project LOCATION=europe-west4 \
#       REGISTRY=europe-west4-docker.pkg.dev/my-project/team configs/stacks/vertex.sh
# Needs: zenml integration install gcp; gcloud auth application-default login; a ZenML server that the jobs reach (zenml login URL).
# ACCOUNT: the service account that the jobs run as, if not the project's default one.
# Not tested: the gcp integration of ZenML 0.98 needs gcsfs of 2024, which cannot be installed beside this project's s3fs of 2026.
# To use Vertex, make an environment and a container image without s3fs, and loosen those pins there.
set -eu
. "$(dirname "$0")/common.sh"

needs PROJECT "the Google Cloud project"
needs LOCATION "the region, such as europe-west4"
needs REGISTRY "where images lie, such as europe-west4-docker.pkg.dev/my-project/team"
needs BUCKET "where artifacts go, such as gs://my-bucket/vision-zero"
set -- --project="$PROJECT" --location="$LOCATION" --synchronous=False
[ -z "${ACCOUNT:-}" ] || set -- "$@" --workload_service_account="$ACCOUNT"
component orchestrator vision_zero_vertex vertex "$@"
component artifact-store vision_zero_gcs gcp --path="$BUCKET"
component container-registry vision_zero_gcr gcp --uri="$REGISTRY"
component image-builder vision_zero_builder local
stack vision_zero_vertex --orchestrator vision_zero_vertex --artifact-store vision_zero_gcs \
    --container_registry vision_zero_gcr --image_builder vision_zero_builder
