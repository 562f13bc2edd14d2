"""Candidate boxes on a photo, with a score threshold and non-maximum suppression."""

import numpy as np
import torch
from matplotlib.patches import Rectangle
from torch import Tensor
from traitlets import Bytes, Float, Int, List, Unicode

from conv.plotting import PALETTE, Figure, short, show_images, subplots
from conv.vision import nms
from conv.widgets.base import CSS, Widget, bundle, to_rows


class MergeBoxes(Widget):
    """Change the score threshold and the IoU limit, and see which boxes are kept.

    Parameters
    ----------
    image : Tensor, shape (H, W)
        Pixels in [0, 1]. Each side has 5 to 512 pixels.
    boxes : Tensor, shape (N, 4)
        Candidates: left, top, right, bottom, in pixels. At most 500.
    scores : Tensor, shape (N,)
        From 0 to 1.
    threshold : float
        Boxes with a lower score are ignored. From 0 to 1.
    limit : float
        Of two boxes whose intersection over union is greater, the one with the lower
        score is removed. From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.
    """

    _esm = bundle("merge_boxes")
    _css = CSS
    module = Unicode("merge_boxes", read_only=True).tag(sync=True)
    image = Bytes().tag(sync=True)
    shape = List(Int()).tag(sync=True)
    boxes = List(List(Float())).tag(sync=True)
    scores = List(Float()).tag(sync=True)
    threshold = Float(0.6, min=0, max=1).tag(sync=True)
    limit = Float(0.5, min=0, max=1).tag(sync=True)

    def __init__(
        self,
        image: Tensor,
        boxes: Tensor,
        scores: Tensor,
        threshold: float = 0.6,
        limit: float = 0.5,
    ) -> None:
        pixels = (image.detach() * 255).round().to("cpu", torch.uint8)
        super().__init__(
            image=pixels.numpy().tobytes(),
            shape=list(image.shape),
            boxes=[[round(side, 1) for side in box] for box in to_rows(boxes)],
            scores=[round(score, 4) for score in to_rows(scores)],
            threshold=threshold,
            limit=limit,
        )

    def passing(self) -> list[int]:
        """List the boxes whose score reaches the threshold."""
        return [n for n, score in enumerate(self.scores) if score >= self.threshold]

    def kept(self) -> list[int]:
        """List the boxes that non-maximum suppression keeps, highest score first."""
        passing = self.passing()
        boxes = torch.tensor(self.boxes, dtype=torch.float64).view(-1, 4)
        scores = torch.tensor(self.scores, dtype=torch.float64)
        order = nms(boxes[passing], scores[passing], self.limit)
        return [passing[n] for n in order.tolist()]

    def __repr__(self) -> str:
        """Count the boxes before and after each step."""
        return (
            f"MergeBoxes, {len(self.boxes)} candidates: {len(self.passing())} with a "
            f"score of at least {short(self.threshold)}, {len(self.kept())} after "
            f"non-maximum suppression with limit {short(self.limit)}"
        )

    def to_figure(self) -> Figure:
        """Draw the photo, the kept boxes, and the removed ones as thin lines."""
        pixels = np.frombuffer(self.image, dtype=np.uint8).reshape(self.shape)
        figure, ax = subplots(size=(4.4, 4.6), alt=f"{self!r}")
        title = "kept: orange, removed: blue"
        show_images([torch.from_numpy(pixels / 255)], [title], axes=[ax])
        kept = self.kept()
        for n in [*(n for n in self.passing() if n not in kept), *kept]:
            left, top, right, bottom = self.boxes[n]
            chosen = n in kept
            frame = Rectangle(
                (left - 0.5, top - 0.5),
                right - left,
                bottom - top,
                fill=False,
                edgecolor=PALETTE["highlight" if chosen else "input"],
                linewidth=2 if chosen else 0.6,
            )
            ax.add_patch(frame)
        ax.set(xlim=(-0.5, self.shape[1] - 0.5), ylim=(self.shape[0] - 0.5, -0.5))
        return figure
