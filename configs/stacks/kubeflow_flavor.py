"""ZenML's Kubeflow orchestrator, but each step gets the memory and the GPUs that ``settings.resources`` asks for.

The one of ZenML 0.98.0 ends with a TypeError on ``memory`` and leaves ``gpu_count`` out of what it submits; a test says when that
is over. ``configs/stacks/kubeflow.sh`` registers the flavor; the steps get this file with the rest of the code.
"""

from math import ceil

from kfp.dsl import PipelineTask
from zenml.config import ResourceSettings
from zenml.config.resource_settings import ByteUnit
from zenml.integrations.kubeflow.flavors import KubeflowOrchestratorFlavor
from zenml.integrations.kubeflow.orchestrators import KubeflowOrchestrator

GPU = "nvidia.com/gpu"


class VisionZeroKubeflowOrchestrator(KubeflowOrchestrator):
    """Requests what it sets as the limit, so that a pod is placed where there is room for it."""

    def _configure_container_resources(
        self,
        dynamic_component: PipelineTask,
        resource_settings: ResourceSettings,
        node_selector_constraint: tuple[str, str] | None = None,
    ) -> PipelineTask:
        task = dynamic_component
        if resource_settings.cpu_count:
            cores = str(resource_settings.cpu_count)
            task.set_cpu_request(cores).set_cpu_limit(cores)
        if mebibytes := resource_settings.get_memory(ByteUnit.MIB):
            memory = f"{ceil(mebibytes)}Mi"
            task.set_memory_request(memory).set_memory_limit(memory)
        if resource_settings.gpu_count:
            task.set_accelerator_type(GPU).set_accelerator_limit(resource_settings.gpu_count)
        return task


class VisionZeroKubeflowFlavor(KubeflowOrchestratorFlavor):
    """``zenml orchestrator flavor register configs.stacks.kubeflow_flavor.VisionZeroKubeflowFlavor``."""

    @property
    def name(self) -> str:
        return "vision_zero_kubeflow"

    @property
    def implementation_class(self) -> type[VisionZeroKubeflowOrchestrator]:
        return VisionZeroKubeflowOrchestrator
