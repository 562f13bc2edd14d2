// Draw a digit, and see what the trained network predicts.
import { forward, preprocessDigit, softmax } from "./arithmetic.js";
import {
  button,
  checkbox,
  drawImage,
  drawingPad,
  element,
  formatNumber,
  imageCanvas,
  liveRegion,
  observe,
  panel,
  setContent,
  setTraits,
  toTypedArray,
} from "./kit.js";

/** Describe the network's prediction. */
export function describePrediction(probabilities) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return `The network predicts ${best} with probability ${formatNumber(probabilities[best])}.`;
}

/** Draw one bar per class. */
function bars(probabilities) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return probabilities.flatMap((probability, n) => {
    const width = `width: ${(100 * probability).toFixed(1)}%`;
    return [
      element("span", {}, `${n}`),
      element("div", { class: n === best ? "bar best" : "bar" }, element("span", { style: width })),
      element("span", {}, probability.toFixed(2)),
    ];
  });
}

function render({ model, el }) {
  const layers = model.get("layers");
  const parameters = toTypedArray(model.get("weights"), Float32Array);
  const inputCanvas = imageCanvas("The network's input");
  const chart = element("div", { class: "bars" });
  const message = liveRegion();

  const predict = (drawing) => {
    const X = model.get("center") ? preprocessDigit(drawing) : drawing;
    const probabilities = softmax(forward(layers, parameters, X));
    drawImage(inputCanvas, X, { low: 0, high: 1 });
    chart.replaceChildren(...bars(probabilities));
    const isEmpty = drawing.values.every((value) => value === 0);
    message.textContent = isEmpty
      ? "The drawing pad is empty. Draw a digit."
      : describePrediction(probabilities);
  };
  const pad = drawingPad("Drawing pad", 28, 0.8, (drawing) => {
    const round = (value) => Math.round(value * 1e3) / 1e3;
    setTraits(model, { image: Array.from(drawing.values, round) });
  });
  const draw = () => {
    pad.setPixels(model.get("image"));
    centerBox.input.checked = model.get("center");
    predict(pad.image);
  };
  const centerBox = checkbox("crop and center the drawing, as in MNIST", true, (center) =>
    setTraits(model, { center }),
  );
  setContent(
    el,
    "Draw a digit",
    element(
      "div",
      { class: "row top" },
      panel("Drawing", pad.root),
      panel("Network input", inputCanvas),
      panel("Probabilities", chart),
    ),
    element(
      "div",
      { class: "row" },
      button("Clear", () => pad.clear()),
      centerBox.root,
    ),
    message,
  );
  return observe(model, ["image", "center"], draw);
}

export default { render };
