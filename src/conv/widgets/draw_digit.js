// Draw a digit, and let the trained net read it.
import { forward, likeMnist, softmax } from "./arithmetic.js";
import {
  button,
  canvasFor,
  element,
  fill,
  follows,
  keep,
  numbersOf,
  pad,
  paint,
  part,
  short,
  speaker,
  tick,
} from "./kit.js";

/** Say what the net reads. */
export function verdict(chances) {
  const best = chances.indexOf(Math.max(...chances));
  return `The net reads a ${best}, with probability ${short(chances[best])}.`;
}

/** Draw a bar for each class. */
function bars(chances) {
  const best = chances.indexOf(Math.max(...chances));
  return chances.flatMap((chance, n) => {
    const width = `width: ${(100 * chance).toFixed(1)}%`;
    return [
      element("span", {}, `${n}`),
      element("div", { class: n === best ? "bar best" : "bar" }, element("span", { style: width })),
      element("span", {}, chance.toFixed(2)),
    ];
  });
}

function render({ model, el }) {
  const layers = model.get("layers");
  const numbers = numbersOf(model.get("weights"), Float32Array);
  const fed = canvasFor("What the net gets to see");
  const chart = element("div", { class: "bars" });
  const says = speaker();

  const read = (ink) => {
    const X = model.get("centre") ? likeMnist(ink) : ink;
    const chances = softmax(forward(layers, numbers, X));
    paint(fed, X, { low: 0, high: 1 });
    chart.replaceChildren(...bars(chances));
    const empty = ink.values.every((value) => value === 0);
    says.textContent = empty ? "The pad is empty. Draw a digit." : verdict(chances);
  };
  const board = pad("Drawing pad", 28, 0.8, (ink) => {
    keep(model, { picture: Array.from(ink.values, (v) => Math.round(v * 1e3) / 1e3) });
  });
  const draw = () => {
    board.put(model.get("picture"));
    centre.input.checked = model.get("centre");
    read(board.ink);
  };
  const centre = tick("crop and centre it, as MNIST's makers did", true, (on) =>
    keep(model, { centre: on }),
  );
  fill(
    el,
    "Draw a digit",
    element(
      "div",
      { class: "row top" },
      part("Your digit", board.root),
      part("What the net sees", fed),
      part("Probabilities", chart),
    ),
    element(
      "div",
      { class: "row" },
      button("Clear", () => board.clear()),
      centre.root,
    ),
    says,
  );
  return follows(model, ["picture", "centre"], draw);
}

export default { render };
