// A window slides over a small picture: step, play, scrub; change what it computes.
import { conv2d, picture, pixelAt, places, resized, rowsOf, taps } from "./arithmetic.js";
import {
  button,
  element,
  fill,
  follows,
  keep,
  kernelEditor,
  numberField,
  numberGrid,
  part,
  short,
  slider,
  speaker,
  sync,
} from "./kit.js";

const PAUSE = 900; // milliseconds a step
const SIDES = { min: 1, max: 5 };

/** Spell one sum of products out. */
export function sentence(Y, position, products) {
  const [i, j] = [Math.floor(position / Y.width), position % Y.width];
  const terms = products.map(({ pixel, weight }) => `${short(pixel)}×${short(weight)}`);
  return `Y[${i}, ${j}] = ${terms.join(" + ")} = ${short(Y.values[position])}`;
}

/** Show the picture with its padding, and what the window sees of it. */
function pictureGrid(X, padding, products) {
  const rows = Array.from({ length: X.height + 2 * padding }, (_, i) =>
    Array.from({ length: X.width + 2 * padding }, (_, j) => pixelAt(X, i - padding, j - padding)),
  );
  const seen = new Set(products.map(({ row, column }) => `${row},${column}`));
  const look = (i, j) => {
    const marked = seen.has(`${i - padding},${j - padding}`);
    return `${rows[i][j] === null ? "outside" : ""} ${marked ? "seen" : ""}`;
  };
  const padded = rows.map((row) => row.map((pixel) => pixel ?? 0));
  return numberGrid(padded, `Picture, ${X.height} by ${X.width}, padding ${padding}`, look);
}

/** Show the output up to the current position; a click moves the window. */
function outputGrid(Y, position, move) {
  const values = rowsOf(Y);
  const shown = values.map((row, i) =>
    row.map((value, j) => (i * Y.width + j <= position ? value : null)),
  );
  const look = (i, j) => `pick ${i * Y.width + j === position ? "current" : ""}`;
  const go = (i, j) => move(i * Y.width + j);
  return numberGrid(shown, `Output, ${Y.height} by ${Y.width}`, look, go);
}

function render({ model, el }) {
  const X = picture(model.get("picture"));
  let timer = null;
  const options = () =>
    Object.fromEntries(["stride", "padding", "dilation"].map((n) => [n, model.get(n)]));
  const count = () => {
    const [h, w] = [model.get("kernel").length, model.get("kernel")[0].length];
    return places(X.height, h, options()) * places(X.width, w, options());
  };
  const move = (position) => keep(model, { position });
  const change = (traits) => {
    keep(model, traits);
    move(Math.min(model.get("position"), Math.max(count() - 1, 0)));
  };
  const step = (by) => move(Math.min(Math.max(model.get("position") + by, 0), count() - 1));
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    says.setAttribute("aria-live", "polite");
  };
  const start = () => {
    if (model.get("position") >= count() - 1) move(0);
    play.textContent = "Pause";
    says.setAttribute("aria-live", "off"); // nobody can listen to a step a second
    timer = setInterval(() => {
      step(1);
      if (model.get("position") >= count() - 1) stop();
    }, PAUSE);
  };

  const says = speaker();
  const play = button("Play", () => (timer ? stop() : start()));
  const back = button("Back", () => step(-1));
  const on = button("Step", () => step(1));
  const scrub = slider("Position", { min: 0, max: 0, step: 1 }, move);
  const numbers = ["stride", "padding", "dilation"].map((name) => {
    const least = name === "padding" ? 0 : 1;
    const limits = { value: model.get(name), min: least, max: 5 };
    return [name, numberField(name, limits, (value) => change({ [name]: value }))];
  });
  const sides = ["rows", "columns"].map((name, axis) => {
    const kernel = model.get("kernel");
    const value = axis ? kernel[0].length : kernel.length;
    return numberField(`kernel ${name}`, { value, ...SIDES }, (side) => {
      const old = model.get("kernel");
      const size = axis ? [old.length, side] : [side, old[0].length];
      change({ kernel: resized(old, ...size) });
    });
  });
  const parts = ["Picture X", "Kernel K", "Products", "Output Y"].map((name) => part(name));
  const show = (n, node) => parts[n].replaceChildren(parts[n].firstChild, node);

  const editor = kernelEditor((kernel) => change({ kernel }));
  show(1, editor.root);

  const draw = () => {
    const kernel = model.get("kernel");
    editor.set(kernel);
    const K = picture(kernel);
    const fits = count() > 0;
    const position = Math.min(model.get("position"), Math.max(count() - 1, 0));
    const products = fits ? taps(X, K, position, options()) : [];
    const Y = conv2d(X, K, options());
    show(0, pictureGrid(X, model.get("padding"), products));
    for (const input of [play, back, on, scrub.input]) input.disabled = !fits;
    scrub.input.max = Math.max(count() - 1, 0);
    scrub.show(position, fits ? `${position + 1} of ${count()}` : "none");
    for (const [name, field] of numbers) sync(field.input, model.get(name));
    sync(sides[0].input, kernel.length);
    sync(sides[1].input, kernel[0].length);
    says.classList.toggle("wrong", !fits);
    if (!fits) {
      says.textContent = "The window doesn't fit into the padded picture.";
      for (const n of [2, 3]) show(n, element("p", {}, "none"));
      return;
    }
    const rows = kernel.map((row, a) => row.map((_, b) => products[a * K.width + b].product));
    show(
      2,
      numberGrid(rows, "Pixel times weight", () => "seen"),
    );
    show(3, outputGrid(Y, position, move));
    says.textContent = sentence(Y, position, products);
  };
  fill(
    el,
    "Sliding window",
    element("div", { class: "row top" }, ...parts),
    says,
    element("div", { class: "row" }, back, on, play, scrub.root),
    element(
      "div",
      { class: "row" },
      ...[...numbers.map(([, f]) => f), ...sides].map((f) => f.root),
    ),
  );
  const names = ["kernel", "stride", "padding", "dilation", "position"];
  const unfollow = follows(model, names, draw);
  return () => {
    stop();
    unfollow();
  };
}

export default { render };
