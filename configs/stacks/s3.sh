#!/bin/sh
# Steps run on this machine, artifacts are stored in a bucket: of AWS, or of any S3-compatible server (ENDPOINT).
#   BUCKET=s3://my-bucket/vision-zero configs/stacks/s3.sh
# Needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment; the bucket must exist.
set -eu
. "$(dirname "$0")/common.sh"

s3_store
component orchestrator vision_zero_local local
stack vision_zero_s3 --orchestrator vision_zero_local --artifact-store vision_zero_s3
