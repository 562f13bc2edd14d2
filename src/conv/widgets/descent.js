// Chapter 4's descent: pull the first kernel, change the learning rate, watch the path.
import { descend, lossAt, picture, quadratic, valley } from "./arithmetic.js";
import { element, fill, follows, keep, numberField, part, short, slider, speaker } from "./kit.js";

const SIDE = 340; // pixels of the map
const REACH = 2.5; // of the map, from its middle, in units of weight
const RINGS = 12;
const PLOT = { width: 320, height: 300, left: 56, bottom: 40, top: 12, right: 10 };

/** Say how the descent went, and how each direction's error changes in a step. */
export function verdict(q, path, rate) {
  const losses = path.map((kernel) => lossAt(q, kernel));
  const factors = valley(q).curvatures.map((c) => 1 - rate * c);
  const [flat, steep] = factors.map((f) => short(f));
  const diverges = factors.some((f) => Math.abs(f) > 1);
  const fate = diverges ? "It diverges: the loss grows without end" : "It converges";
  return (
    `After ${path.length - 1} steps the loss went from ${sized(losses[0])} to ` +
    `${sized(losses.at(-1))}. A step multiplies the error along the valley by ${flat}, ` +
    `across it by ${steep}. ${fate}.`
  );
}

/** Write a number with three digits, however small or large. */
export function sized(value) {
  if (!Number.isFinite(value)) return "infinity";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
}

/** Bring a kernel to the map's pixels. */
function onMap(middle, [u, v]) {
  const scale = SIDE / (2 * REACH);
  return [SIDE / 2 + (u - middle[0]) * scale, SIDE / 2 - (v - middle[1]) * scale];
}

/** Draw the valley as ellipses of equal loss. */
function rings({ lowest, curvatures, directions }, q) {
  const [x, y] = onMap(lowest, lowest);
  const floor = lossAt(q, lowest);
  const highest = lossAt(q, [lowest[0] + REACH, lowest[1] + REACH]) - floor;
  const angle = (-Math.atan2(directions[0][1], directions[0][0]) * 180) / Math.PI;
  return Array.from({ length: RINGS }, (_, n) => {
    const level = highest * 0.5 ** n;
    const [rx, ry] = curvatures.map((c) => Math.sqrt((2 * level) / c) * (SIDE / (2 * REACH)));
    const transform = `rotate(${angle} ${x} ${y})`;
    return element("ellipse", { class: "ring", cx: x, cy: y, rx, ry, transform });
  });
}

/** Draw the axes' numbers along the map's left and lower side. */
function ticks(middle) {
  const whole = [-2, -1, 0, 1, 2];
  const across = whole.map((n) => {
    const [x] = onMap(middle, [Math.round(middle[0]) + n, 0]);
    return element("text", { x, y: SIDE - 6, class: "tick" }, `${Math.round(middle[0]) + n}`);
  });
  const up = whole.map((n) => {
    const [, y] = onMap(middle, [0, Math.round(middle[1]) + n]);
    return element("text", { x: 12, y: y + 4, class: "tick" }, `${Math.round(middle[1]) + n}`);
  });
  return [...across, ...up];
}

/** Draw a line through points, and a dot on each. */
function dotted(points) {
  return [
    element("path", { class: "path", d: `M${points.map(([x, y]) => `${x} ${y}`).join("L")}` }),
    ...points.map(([cx, cy]) => element("circle", { class: "dot", cx, cy, r: 3 })),
  ];
}

/** Draw the losses, on a logarithmic axis. */
function lossPlot(losses) {
  const { width, height, left, bottom, top, right } = PLOT;
  const powersOf = (list) => list.map((loss) => Math.log10(Math.max(loss, 0)));
  const finite = powersOf(losses).filter(Number.isFinite);
  if (!finite.length) finite.push(0); // the kernel was perfect from the start
  const [low, high] = [Math.floor(Math.min(...finite)), Math.ceil(Math.max(...finite))];
  const x = (step) => left + (step / (losses.length - 1)) * (width - left - right);
  const y = (power) =>
    height - bottom - ((power - low) / (high - low || 1)) * (height - top - bottom);
  const powers = [...new Set([low, Math.round((low + high) / 2), high])];
  const dots = powersOf(losses).map((p, n) => [x(n), y(Math.min(Math.max(p, low), high))]);
  return element(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      style: `width: ${width}px`,
      role: "img",
      "aria-label": `Loss by step, logarithmic, from ${sized(losses[0])} to ${sized(losses.at(-1))}`,
    },
    ...powers.flatMap((power) => [
      element("line", { class: "ring", x1: left, x2: width - right, y1: y(power), y2: y(power) }),
      element("text", { x: left - 6, y: y(power) + 4, "text-anchor": "end" }, tenTo(power)),
    ]),
    ...dotted(dots),
    element("text", { x: left, y: height - 8 }, "0"),
    element(
      "text",
      { x: width - right, y: height - 8, "text-anchor": "end" },
      `${losses.length - 1}`,
    ),
    element("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle" }, "steps"),
  );
}

/** Write a power of ten as one reads it. */
function tenTo(power) {
  return Math.abs(power) > 4 ? `1e${power}` : String(Number(`1e${power}`));
}

/** Draw the path on the map; what lies far outside is cut off. */
function pathOn(middle, path) {
  const inside = ([x, y]) => Math.abs(x) < 1e4 && Math.abs(y) < 1e4;
  const points = path.map((kernel) => onMap(middle, kernel));
  const end = points.findIndex((point) => !inside(point));
  return dotted(end < 0 ? points : points.slice(0, end));
}

function render({ model, el }) {
  const q = quadratic(picture(model.get("picture")), picture(model.get("target")));
  const land = valley(q);
  const middle = land.lowest;
  const says = speaker();
  const place = (event) => {
    const box = map.getBoundingClientRect();
    const scale = (2 * REACH) / box.width;
    const u = middle[0] + (event.clientX - box.left - box.width / 2) * scale;
    const v = middle[1] - (event.clientY - box.top - box.height / 2) * scale;
    keep(model, { start: [u, v].map((w) => Math.round(w * 100) / 100) });
  };
  const map = element("svg", {
    class: "map",
    viewBox: `0 0 ${SIDE} ${SIDE}`,
    style: `width: ${SIDE}px`,
    role: "img",
    pointerdown: (event) => {
      map.setPointerCapture(event.pointerId);
      place(event);
    },
    pointermove: (event) => map.hasPointerCapture(event.pointerId) && place(event),
  });
  const plot = part("Losses");
  const weights = [0, 1].map((axis) => {
    const limits = { step: 0.05, min: middle[axis] - REACH, max: middle[axis] + REACH };
    return slider(`first w${axis + 1}`, limits, (value) => {
      const start = [...model.get("start")];
      start[axis] = value;
      keep(model, { start });
    });
  });
  const fastest = 2.5 / land.curvatures[1];
  const limits = { min: 0, max: Number(fastest.toPrecision(2)), step: 0.0005 };
  const rate = slider("learning rate", limits, (lr) => keep(model, { lr }));
  const steps = numberField("steps", { value: 10, min: 1, max: 100 }, (n) =>
    keep(model, { steps: n }),
  );
  const marks = [...rings(land, q), ...ticks(middle)];

  const draw = () => {
    const [start, lr] = [model.get("start"), model.get("lr")];
    const path = descend(q, start, lr, model.get("steps"));
    const losses = path.map((kernel) => lossAt(q, kernel));
    const [cx, cy] = onMap(middle, start);
    const [x, y] = onMap(middle, middle);
    map.replaceChildren(
      ...marks,
      element("path", { class: "cross", d: `M${x - 5} ${y}h10M${x} ${y - 5}v10` }),
      ...pathOn(middle, path),
      element("circle", { class: "handle", cx, cy, r: 9 }),
    );
    const at = start.map((w) => short(w)).join(", ");
    map.setAttribute("aria-label", `Map of the loss; the path begins at (${at})`);
    plot.replaceChildren(plot.firstChild, lossPlot(losses));
    for (const axis of [0, 1]) weights[axis].show(start[axis], short(start[axis]));
    rate.show(lr, short(lr, 4));
    steps.input.value = model.get("steps");
    says.textContent = verdict(q, path, lr);
  };
  fill(
    el,
    "Gradient descent",
    element("div", { class: "row top" }, part("Kernels (w1 across, w2 up)", map), plot),
    element("div", { class: "row" }, rate.root, steps.root),
    element("div", { class: "row" }, ...weights.map(({ root }) => root)),
    says,
  );
  return follows(model, ["start", "lr", "steps"], draw);
}

export default { render };
