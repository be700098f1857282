"""Runs at the start of each Python process of the vLLM server of these tests.

torchvision's wheels on PyPI contain operators that are compiled for another build of torch than the CPU one, and then torchvision
cannot be imported: its Python code registers kernels for operators that do not exist. They are declared here, and never called.
"""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_POOLED = "Tensor rois, float spatial_scale, int pooled_height, int pooled_width, int sampling_ratio, bool aligned"
_OPERATORS = {"nms": _BOXES, "qnms": _BOXES, "roi_align": f"(Tensor input, {_POOLED}) -> Tensor"}


class _DeclaredOperators(MetaPathFinder):
    """Declares the operators as soon as torchvision is imported."""

    library: Any = None

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "torchvision" and self.library is None:
            import torch

            self.library = torch.library.Library("torchvision", "DEF")
            for operator, signature in _OPERATORS.items():
                self.library.define(operator + signature)


sys.meta_path.insert(0, _DeclaredOperators())
