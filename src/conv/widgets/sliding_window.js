// A window slides over a small image: step, play, drag a slider; change the options.
import {
  conv2d,
  cropOrPad,
  imageFromRows,
  outputSize,
  pixelAt,
  toRows,
  windowTaps,
} from "./arithmetic.js";
import {
  button,
  element,
  formatNumber,
  kernelEditor,
  liveRegion,
  numberField,
  numberGrid,
  observe,
  panel,
  setContent,
  setFieldValue,
  setTraits,
  slider,
} from "./kit.js";

const STEP_MILLISECONDS = 900;
const KERNEL_SIDES = { min: 1, max: 5 };

/** Write out the sum of products at one position. */
export function describeSum(Y, position, taps) {
  const [i, j] = [Math.floor(position / Y.width), position % Y.width];
  const terms = taps.map(({ pixel, weight }) => `${formatNumber(pixel)}×${formatNumber(weight)}`);
  return `Y[${i}, ${j}] = ${terms.join(" + ")} = ${formatNumber(Y.values[position])}`;
}

/** Draw the padded image, with the pixels in the window highlighted. */
function imageGrid(X, padding, taps) {
  const rows = Array.from({ length: X.height + 2 * padding }, (_, i) =>
    Array.from({ length: X.width + 2 * padding }, (_, j) => pixelAt(X, i - padding, j - padding)),
  );
  const inWindow = new Set(taps.map(({ row, column }) => `${row},${column}`));
  const cellClass = (i, j) => {
    const highlighted = inWindow.has(`${i - padding},${j - padding}`);
    return `${rows[i][j] === null ? "padding" : "pixel"} ${highlighted ? "window" : ""}`;
  };
  const padded = rows.map((row) => row.map((pixel) => pixel ?? 0));
  return numberGrid(padded, `Image, ${X.height} by ${X.width}, padding ${padding}`, cellClass);
}

/** Draw the output up to the current position; a click moves the window. */
function outputGrid(Y, position, move) {
  const rows = toRows(Y).map((row, i) =>
    row.map((value, j) => (i * Y.width + j <= position ? value : null)),
  );
  const cellClass = (i, j) => {
    const at = i * Y.width + j;
    return `clickable ${at <= position ? "computed" : ""} ${at === position ? "current" : ""}`;
  };
  const onClick = (i, j) => move(i * Y.width + j);
  return numberGrid(rows, `Output, ${Y.height} by ${Y.width}`, cellClass, onClick);
}

function render({ model, el }) {
  const X = imageFromRows(model.get("image"));
  let timer = null;
  const options = () =>
    Object.fromEntries(["stride", "padding", "dilation"].map((n) => [n, model.get(n)]));
  const countPositions = () => {
    const [h, w] = [model.get("kernel").length, model.get("kernel")[0].length];
    return outputSize(X.height, h, options()) * outputSize(X.width, w, options());
  };
  const lastPosition = () => Math.max(countPositions() - 1, 0);
  const move = (position) => setTraits(model, { position });
  const change = (traits) => {
    setTraits(model, traits);
    move(Math.min(model.get("position"), lastPosition()));
  };
  const step = (by) => move(Math.min(Math.max(model.get("position") + by, 0), lastPosition()));
  const stop = () => {
    clearInterval(timer);
    timer = null;
    playButton.textContent = "Play";
    message.setAttribute("aria-live", "polite");
  };
  const start = () => {
    if (model.get("position") >= lastPosition()) move(0);
    playButton.textContent = "Pause";
    message.setAttribute("aria-live", "off"); // a screen reader can't keep up
    timer = setInterval(() => {
      step(1);
      if (model.get("position") >= lastPosition()) stop();
    }, STEP_MILLISECONDS);
  };

  const message = liveRegion();
  const playButton = button("Play", () => (timer ? stop() : start()));
  const backButton = button("Back", () => step(-1));
  const stepButton = button("Step", () => step(1));
  const positionSlider = slider("Position", { min: 0, max: 0, step: 1 }, move);
  const optionFields = ["stride", "padding", "dilation"].map((name) => {
    const limits = { value: model.get(name), min: name === "padding" ? 0 : 1, max: 5 };
    return [name, numberField(name, limits, (value) => change({ [name]: value }))];
  });
  const sideFields = ["height", "width"].map((name, axis) => {
    const kernel = model.get("kernel");
    const value = axis ? kernel[0].length : kernel.length;
    return numberField(`kernel ${name}`, { value, ...KERNEL_SIDES }, (side) => {
      const old = model.get("kernel");
      const size = axis ? [old.length, side] : [side, old[0].length];
      change({ kernel: cropOrPad(old, ...size) });
    });
  });
  const panels = ["Image X", "Kernel K", "Products", "Output Y"].map((name) => panel(name));
  const show = (n, node) => panels[n].replaceChildren(panels[n].firstChild, node);

  const editor = kernelEditor((kernel) => change({ kernel }));
  show(1, editor.root);

  const draw = () => {
    const kernel = model.get("kernel");
    editor.setKernel(kernel);
    const K = imageFromRows(kernel);
    const fits = countPositions() > 0;
    const position = Math.min(model.get("position"), lastPosition());
    const taps = fits ? windowTaps(X, K, position, options()) : [];
    const Y = conv2d(X, K, options());
    show(0, imageGrid(X, model.get("padding"), taps));
    for (const input of [playButton, backButton, stepButton, positionSlider.input]) {
      input.disabled = !fits;
    }
    positionSlider.input.max = lastPosition();
    positionSlider.setValue(position, fits ? `${position + 1} of ${countPositions()}` : "none");
    for (const [name, field] of optionFields) setFieldValue(field.input, model.get(name));
    setFieldValue(sideFields[0].input, kernel.length);
    setFieldValue(sideFields[1].input, kernel[0].length);
    message.classList.toggle("error", !fits);
    if (!fits) {
      message.textContent =
        "The window doesn't fit inside the padded image. Make it smaller, or add padding.";
      for (const n of [2, 3]) show(n, element("p", {}, "none"));
      return;
    }
    const products = kernel.map((row, a) => row.map((_, b) => taps[a * K.width + b].product));
    show(2, numberGrid(products, "Pixel times weight"));
    show(3, outputGrid(Y, position, move));
    message.textContent = describeSum(Y, position, taps);
  };
  setContent(
    el,
    "Sliding window",
    element("div", { class: "row top" }, ...panels),
    message,
    element("div", { class: "row" }, backButton, stepButton, playButton, positionSlider.root),
    element(
      "div",
      { class: "row" },
      ...[...optionFields.map(([, field]) => field), ...sideFields].map((field) => field.root),
    ),
  );
  const names = ["kernel", "stride", "padding", "dilation", "position"];
  const stopObserving = observe(model, names, draw);
  return () => {
    stop();
    stopObserving();
  };
}

export default { render };
