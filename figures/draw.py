"""Draw the chapters' diagrams: `make figures`.

    python figures/draw.py notebooks/figures

A diagram is a function that returns a drawing; its name is the name of the file.
"""

import sys
from pathlib import Path

from blocks import (
    cheaper_blocks,
    norm_axes,
    plain_and_residual,
    projection_and_bottleneck,
)
from boxes import box_overlap, pnet_slides, suppression
from channels import kernel_bank, kernel_volume, separable
from descent import momentum_sum, window_errors
from distributed import (
    data_parallel,
    four_splits,
    halving_doubling,
    pipeline,
    ring_all_reduce,
)
from edges import edge_profile
from fast import fourier_route, im2col, two_passes, winograd_tile
from fields import dilated_layers, receptive_field
from gradients import (
    computation_graph,
    image_gradient_stride,
    kernel_gradient_stride,
    rotated_kernel,
)
from inside import attack_steps, grad_cam, occlusion
from layers import batch_axes, connections, conv_layer
from lenet import lenet_architecture
from pooling import max_then_subsample, pooling
from segment import unet_path
from sums import loop_over_taps, window_slides
from training import stochastic_depth
from transposed import encoder_decoder, transposed_conv
from windows import padding, stride

DIAGRAMS = [
    window_slides,
    loop_over_taps,
    connections,
    conv_layer,
    batch_axes,
    edge_profile,
    window_errors,
    momentum_sum,
    padding,
    stride,
    kernel_volume,
    kernel_bank,
    separable,
    pooling,
    max_then_subsample,
    receptive_field,
    dilated_layers,
    transposed_conv,
    encoder_decoder,
    computation_graph,
    rotated_kernel,
    kernel_gradient_stride,
    image_gradient_stride,
    im2col,
    two_passes,
    fourier_route,
    winograd_tile,
    occlusion,
    grad_cam,
    attack_steps,
    norm_axes,
    plain_and_residual,
    projection_and_bottleneck,
    cheaper_blocks,
    data_parallel,
    ring_all_reduce,
    halving_doubling,
    four_splits,
    pipeline,
    lenet_architecture,
    stochastic_depth,
    pnet_slides,
    box_overlap,
    suppression,
    unet_path,
]


def main(folder: Path) -> None:
    """Write all diagrams into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for diagram in DIAGRAMS:
        path = folder / f"{diagram.__name__}.svg"
        path.write_text(diagram().as_svg() + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
