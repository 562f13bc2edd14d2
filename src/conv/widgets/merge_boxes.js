// Change the score threshold and the IoU limit, and see which boxes are kept.
import {
  drawImage,
  element,
  formatNumber,
  imageCanvas,
  liveRegion,
  observe,
  setContent,
  setTraits,
  slider,
  toTypedArray,
} from "./kit.js";

const LABELED = 12; // as many kept boxes have their scores beside them
const STYLES = {
  photo: "position: relative; width: 420px; max-width: 100%",
  canvas: "width: 100%",
  overlay: "position: absolute; inset: 1px; width: calc(100% - 2px); height: calc(100% - 2px)",
  removed: "fill: none; stroke: var(--input); stroke-width: 1",
  kept: "fill: none; stroke: var(--highlight); stroke-width: 3",
  label: "fill: white; stroke: black; stroke-width: 2px; paint-order: stroke; font-size: 9px",
};
const FIXED = "; vector-effect: non-scaling-stroke; forced-color-adjust: none";

/** Compute the intersection over union of two boxes [left, top, right, bottom]. */
export function boxIou(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const overlap = Math.max(width, 0) * Math.max(height, 0);
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  return overlap / (area(a) + area(b) - overlap);
}

/** List the boxes that non-maximum suppression keeps, from the highest score down. */
export function suppressBoxes(boxes, scores, limit) {
  let order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const kept = [];
  while (order.length > 0) {
    const [best, ...rest] = order;
    kept.push(best);
    order = rest.filter((n) => boxIou(boxes[best], boxes[n]) <= limit);
  }
  return kept;
}

/** Choose the boxes whose score reaches the threshold, and those of them that are kept. */
export function chooseBoxes(boxes, scores, threshold, limit) {
  const passing = Array.from(scores.keys()).filter((n) => scores[n] >= threshold);
  const order = suppressBoxes(
    passing.map((n) => boxes[n]),
    passing.map((n) => scores[n]),
    limit,
  );
  return { passing, kept: order.map((n) => passing[n]) };
}

/** Count the boxes before and after each step. */
export function describeBoxes(total, passing, kept) {
  return (
    `${passing} of ${total} candidates ${passing === 1 ? "reaches" : "reach"} the threshold. ` +
    `Non-maximum suppression keeps ${kept} and removes ${passing - kept}.`
  );
}

/** Draw a box. */
function frame([left, top, right, bottom], kind) {
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  return element("rect", { ...place, class: kind, style: STYLES[kind] + FIXED });
}

/** Write a kept box's score above it, or inside if there is no room above. */
function label([left, top], score) {
  const y = top > 10 ? top - 3 : top + 9;
  return element("text", { x: left, y, style: STYLES.label }, score.toFixed(2));
}

function render({ model, el }) {
  const [height, width] = model.get("shape");
  const bytes = toTypedArray(model.get("image"), Uint8Array);
  const canvas = imageCanvas("The photo");
  canvas.style.cssText = STYLES.canvas;
  drawImage(canvas, { height, width, values: bytes }, { low: 0, high: 255 });
  const overlay = element("svg", {
    viewBox: `0 0 ${width} ${height}`,
    "aria-hidden": "true",
    style: STYLES.overlay,
  });
  const message = liveRegion();
  const range = { min: 0, max: 1, step: 0.01 };
  const threshold = slider("Score threshold", range, (value) =>
    setTraits(model, { threshold: value }),
  );
  const limit = slider("IoU limit", range, (value) => setTraits(model, { limit: value }));

  const draw = () => {
    const [boxes, scores] = [model.get("boxes"), model.get("scores")];
    const limits = [model.get("threshold"), model.get("limit")];
    const { passing, kept } = chooseBoxes(boxes, scores, ...limits);
    const chosen = new Set(kept);
    overlay.replaceChildren(
      ...passing.filter((n) => !chosen.has(n)).map((n) => frame(boxes[n], "removed")),
      ...kept.map((n) => frame(boxes[n], "kept")),
      ...kept.slice(0, LABELED).map((n) => label(boxes[n], scores[n])),
    );
    threshold.setValue(limits[0], formatNumber(limits[0]));
    limit.setValue(limits[1], formatNumber(limits[1]));
    message.textContent = describeBoxes(boxes.length, passing.length, kept.length);
  };
  setContent(
    el,
    "Remove overlapping boxes",
    element("div", { class: "photo", style: STYLES.photo }, canvas, overlay),
    element("div", { class: "row" }, threshold.root, limit.root),
    message,
  );
  return observe(model, ["boxes", "scores", "threshold", "limit"], draw);
}

export default { render };
