# syntax=docker/dockerfile:1
# Two targets from one file, both non-root and with the two commands of the README inside:
#   docker build --target cpu  --build-arg TORCH_INDEX=<index of CPU wheels> -t vision-zero:cpu .
#   docker build --target cuda -t vision-zero:cuda .
# Without TORCH_INDEX torch comes from pip's own index, whose Linux wheel carries CUDA. Self-play runs need no network afterwards.
# For the steps of a run on Kubernetes or Kubeflow: --build-arg EXTRAS=dev,kubeflow.

ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS base
# Debian keeps one version of a package in a release: a pinned one is gone with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 player
USER 1000
WORKDIR /home/player/vision-zero

FROM base AS cpu
ARG TORCH_INDEX=
ARG EXTRAS=dev
COPY --chown=player:player . .
RUN python -m venv .venv \
    && if [ -n "$TORCH_INDEX" ]; then \
         .venv/bin/python -m pip install --no-cache-dir --index-url "$TORCH_INDEX" --constraint constraints.txt torch; \
       fi \
    && PIP_NO_CACHE_DIR=1 make install \
    && .venv/bin/zenml init
# An orchestrator starts a step with "python -m zenml…", which must be the one with our packages, and sends no statistics.
ENV PATH="/home/player/vision-zero/.venv/bin:$PATH" \
    ZENML_ANALYTICS_OPT_IN=false GX_ANALYTICS_ENABLED=false HF_HUB_DISABLE_TELEMETRY=1
CMD ["make", "run"]

FROM cpu AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
