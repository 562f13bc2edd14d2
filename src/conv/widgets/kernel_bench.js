// Edit a kernel, by typing or by dragging its weights, and see its effect on an image.
import { conv2d, cropOrPad, imageFromRows } from "./arithmetic.js";
import {
  button,
  colorRange,
  drawImage,
  drawingPad,
  dropdown,
  element,
  formatNumber,
  imageCanvas,
  kernelEditor,
  liveRegion,
  observe,
  panel,
  setContent,
  setTraits,
  slider,
  toTypedArray,
} from "./kit.js";

const DRAG_RATE = 0.02; // change of a weight per pixel that it is dragged up

export const PRESETS = {
  identity: [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
  ],
  "box blur": Array(5).fill(Array(5).fill(0.04)),
  "binomial blur": [1, 4, 6, 4, 1].map((a) => [1, 4, 6, 4, 1].map((b) => (a * b) / 256)),
  sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  "Sobel, vertical edges": [
    [1, 0, -1],
    [2, 0, -2],
    [1, 0, -1],
  ],
  "Sobel, horizontal edges": [
    [1, 2, 1],
    [0, 0, 0],
    [-1, -2, -1],
  ],
  Laplacian: [
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
  ],
  emboss: [
    [-2, -1, 0],
    [-1, 1, 1],
    [0, 1, 2],
  ],
};

/** Crop or zero-pad a square kernel to another odd size, around its center. */
export function resizeKernel(kernel, side) {
  return cropOrPad(kernel, side, side, (kernel.length - side) / 2);
}

/** Cross-correlate; if there is a bias, add it and apply ReLU. */
export function computeOutput(X, K, bias) {
  const Y = conv2d(X, K);
  return bias === null ? Y : { ...Y, values: Y.values.map((y) => Math.max(y + bias, 0)) };
}

/** Describe the kernel and the output. */
export function describeOutput(kernel, bias, Y) {
  if (bias !== null) {
    const positive = Y.values.filter((y) => y > 0).length / Y.values.length;
    return `${Math.round(100 * positive)}% of the output pixels are positive.`;
  }
  const { low, high } = colorRange(Y.values, false);
  const sum = formatNumber(kernel.flat().reduce((a, b) => a + b));
  return (
    `The kernel's weights add up to ${sum}. ` +
    `The output ranges from ${formatNumber(low)} to ${formatNumber(high)}.`
  );
}

/** Convert the photo's bytes, 0 to 255, to an image with pixels in [0, 1]. */
function photoFromBytes(model) {
  const [height, width] = model.get("shape");
  const bytes = toTypedArray(model.get("image"), Uint8Array);
  return { height, width, values: Float64Array.from(bytes, (byte) => byte / 255) };
}

function render({ model, el }) {
  const photo = photoFromBytes(model);
  const photoCanvas = imageCanvas("The photo");
  const outputCanvas = imageCanvas("The output");
  const message = liveRegion();
  const pad = drawingPad("Drawing pad", 256, 5, () => draw());
  const isDrawing = () => model.get("source") === "drawing";
  const setKernel = (kernel) => setTraits(model, { kernel });

  const editor = kernelEditor(setKernel, DRAG_RATE);
  const presets = dropdown("Kernel", Object.keys(PRESETS), (name) => setKernel(PRESETS[name]));
  const sizes = dropdown("Size", ["3 × 3", "5 × 5"], (size) =>
    setKernel(resizeKernel(model.get("kernel"), Number(size[0]))),
  );
  const sources = dropdown("Image", ["photo", "drawing"], (source) => setTraits(model, { source }));
  const bias = slider("Bias", { min: -1, max: 1, step: 0.01 }, (value) =>
    setTraits(model, { bias: value }),
  );
  bias.root.hidden = model.get("bias") === null;
  const clearButton = button("Clear the drawing", () => pad.clear());

  const draw = () => {
    const kernel = model.get("kernel");
    const added = model.get("bias");
    const image = isDrawing() ? pad.image : photo;
    const Y = computeOutput(image, imageFromRows(kernel), added);
    const signed = added === null && kernel.flat().some((weight) => weight < 0);
    const { low, high } = colorRange(Y.values, signed || added !== null);
    drawImage(outputCanvas, Y, { low: added === null ? low : 0, high, signed });
    message.textContent = describeOutput(kernel, added, Y);
  };
  const updateControls = () => {
    const kernel = model.get("kernel");
    editor.setKernel(kernel);
    sizes.input.value = kernel.length === 3 ? "3 × 3" : "5 × 5";
    const isCurrent = ([, preset]) => String(preset) === String(kernel);
    presets.input.value = Object.entries(PRESETS).find(isCurrent)?.[0] ?? "";
    sources.input.value = model.get("source");
    bias.setValue(model.get("bias") ?? 0, formatNumber(model.get("bias") ?? 0));
    photoCanvas.hidden = isDrawing();
    pad.root.hidden = !isDrawing();
    clearButton.hidden = !isDrawing();
  };
  drawImage(photoCanvas, photo, { low: 0, high: 1 });

  const hint = element("small", {}, "Type a number, or drag it up or down.");
  setContent(
    el,
    "Kernel bench",
    element("div", { class: "row" }, presets.root, sizes.root, sources.root, clearButton),
    element(
      "div",
      { class: "row top" },
      panel("Image", photoCanvas, pad.root),
      panel("Kernel", editor.root, hint),
      panel("Output", outputCanvas),
    ),
    bias.root,
    message,
  );
  const names = ["bias", "kernel", "source"];
  const stopFunctions = [observe(model, names, updateControls), observe(model, names, draw)];
  return () => {
    for (const stop of stopFunctions) stop();
  };
}

export default { render };
