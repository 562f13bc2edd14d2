// Edit a kernel, by typing or by pulling its numbers, and see what it does to a picture.
import { conv2d, picture, resized } from "./arithmetic.js";
import {
  button,
  canvasFor,
  choice,
  element,
  fill,
  follows,
  keep,
  kernelEditor,
  numbersOf,
  pad,
  paint,
  part,
  scaleOf,
  short,
  speaker,
} from "./kit.js";

const PULL = 0.02; // how much a number grows for each pixel that it is pulled up

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
  "Sobel, upright edges": [
    [1, 0, -1],
    [2, 0, -2],
    [1, 0, -1],
  ],
  "Sobel, level edges": [
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

/** Bring a square kernel to another odd size, its middle kept in the middle. */
export function recentred(kernel, side) {
  return resized(kernel, side, side, (kernel.length - side) / 2);
}

/** Say what came out. */
export function summary(kernel, Y) {
  const { low, high } = scaleOf(Y.values, false);
  const sum = short(kernel.flat().reduce((a, b) => a + b));
  return (
    `The kernel's numbers add up to ${sum}. ` +
    `The output goes from ${short(low)} to ${short(high)}.`
  );
}

/** Make a picture of bytes, 0 to 255, with pixels from 0 to 1. */
function photograph(model) {
  const [height, width] = model.get("shape");
  const bytes = numbersOf(model.get("picture"), Uint8Array);
  return { height, width, values: Float64Array.from(bytes, (byte) => byte / 255) };
}

function render({ model, el }) {
  const photo = photograph(model);
  const seen = canvasFor("The photograph");
  const made = canvasFor("The output");
  const says = speaker();
  const board = pad("Drawing pad", 256, 5, () => draw());
  const drawing = () => model.get("source") === "drawing";
  const setKernel = (kernel) => keep(model, { kernel });

  const editor = kernelEditor(setKernel, PULL);
  const presets = choice("Kernel", Object.keys(PRESETS), (name) => setKernel(PRESETS[name]));
  const sizes = choice("Size", ["3 × 3", "5 × 5"], (size) =>
    setKernel(recentred(model.get("kernel"), Number(size[0]))),
  );
  const sources = choice("Picture", ["photograph", "drawing"], (source) => keep(model, { source }));
  const clear = button("Clear the drawing", () => board.clear());

  const draw = () => {
    const kernel = model.get("kernel");
    const Y = conv2d(drawing() ? board.ink : photo, picture(kernel));
    const signed = kernel.flat().some((weight) => weight < 0);
    paint(made, Y, { ...scaleOf(Y.values, signed), signed });
    says.textContent = summary(kernel, Y);
  };
  const drawControls = () => {
    const kernel = model.get("kernel");
    editor.set(kernel);
    sizes.input.value = kernel.length === 3 ? "3 × 3" : "5 × 5";
    const same = ([, preset]) => String(preset) === String(kernel);
    presets.input.value = Object.entries(PRESETS).find(same)?.[0] ?? "";
    sources.input.value = model.get("source");
    seen.hidden = drawing();
    board.root.hidden = !drawing();
    clear.hidden = !drawing();
  };
  paint(seen, photo, { low: 0, high: 1 });

  fill(
    el,
    "Kernel bench",
    element("div", { class: "row" }, presets.root, sizes.root, sources.root, clear),
    element(
      "div",
      { class: "row top" },
      part("Picture", seen, board.root),
      part("Kernel", editor.root, element("small", {}, "Type, or pull a number up or down.")),
      part("Output", made),
    ),
    says,
  );
  const names = ["kernel", "source"];
  const unfollow = [follows(model, names, drawControls), follows(model, names, draw)];
  return () => {
    for (const end of unfollow) end();
  };
}

export default { render };
