// Chapter 4's gradient descent: choose the initial kernel and the learning rate.
import {
  analyzeLoss,
  gradientDescent,
  imageFromRows,
  lossAt,
  quadraticLoss,
} from "./arithmetic.js";
import {
  element,
  formatNumber,
  liveRegion,
  numberField,
  observe,
  panel,
  setContent,
  setTraits,
  slider,
} from "./kit.js";

const MAP_SIDE = 340; // in pixels
const MAP_RADIUS = 2.5; // from the center to the edge, in units of a weight
const CONTOURS = 12;
const PLOT = { width: 320, height: 300, left: 56, bottom: 40, top: 12, right: 10 };

/** Describe the losses, and by which factor each step multiplies the error. */
export function describeDescent(q, path, learningRate) {
  const losses = path.map((kernel) => lossAt(q, kernel));
  const factors = analyzeLoss(q).curvatures.map((c) => 1 - learningRate * c);
  const [flat, steep] = factors.map((factor) => formatNumber(factor));
  const diverges = factors.some((factor) => Math.abs(factor) > 1);
  const result = diverges
    ? "Gradient descent diverges: the loss grows without bound."
    : "Gradient descent converges.";
  return (
    `In ${path.length - 1} steps, the loss goes from ${formatSignificant(losses[0])} to ` +
    `${formatSignificant(losses.at(-1))}. Each step multiplies the error by ${flat} along ` +
    `the valley and by ${steep} across it. ${result}`
  );
}

/** Format a number with three significant digits, however small or large. */
export function formatSignificant(value) {
  if (!Number.isFinite(value)) return "infinity";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
}

/** Convert a kernel to pixels of the map. */
function toMapPixels(center, [u, v]) {
  const scale = MAP_SIDE / (2 * MAP_RADIUS);
  return [MAP_SIDE / 2 + (u - center[0]) * scale, MAP_SIDE / 2 - (v - center[1]) * scale];
}

/** Draw the contours of the loss, which are ellipses. */
function drawContours({ minimum, curvatures, directions }, q) {
  const [x, y] = toMapPixels(minimum, minimum);
  const corner = [minimum[0] + MAP_RADIUS, minimum[1] + MAP_RADIUS];
  const highest = lossAt(q, corner) - lossAt(q, minimum);
  const angle = (-Math.atan2(directions[0][1], directions[0][0]) * 180) / Math.PI;
  return Array.from({ length: CONTOURS }, (_, n) => {
    const level = highest * 0.5 ** n;
    const scale = MAP_SIDE / (2 * MAP_RADIUS);
    const [rx, ry] = curvatures.map((c) => Math.sqrt((2 * level) / c) * scale);
    const transform = `rotate(${angle} ${x} ${y})`;
    return element("ellipse", { class: "contour", cx: x, cy: y, rx, ry, transform });
  });
}

/** Draw tick labels along the map's left and lower sides. */
function drawTicks(center) {
  const offsets = [-2, -1, 0, 1, 2];
  const horizontal = offsets.map((n) => {
    const value = Math.round(center[0]) + n;
    const [x] = toMapPixels(center, [value, 0]);
    return element("text", { x, y: MAP_SIDE - 6, class: "tick" }, `${value}`);
  });
  const vertical = offsets.map((n) => {
    const value = Math.round(center[1]) + n;
    const [, y] = toMapPixels(center, [0, value]);
    return element("text", { x: 12, y: y + 4, class: "tick" }, `${value}`);
  });
  return [...horizontal, ...vertical];
}

/** Draw a line through points, with a dot on each. */
function dottedLine(points) {
  return [
    element("path", { class: "path", d: `M${points.map(([x, y]) => `${x} ${y}`).join("L")}` }),
    ...points.map(([cx, cy]) => element("circle", { class: "dot", cx, cy, r: 3 })),
  ];
}

/** Plot the losses, on a logarithmic axis. */
function lossPlot(losses) {
  const { width, height, left, bottom, top, right } = PLOT;
  const exponents = losses.map((loss) => Math.log10(Math.max(loss, 0)));
  const finite = exponents.filter(Number.isFinite);
  if (!finite.length) finite.push(0); // the initial kernel is the minimum
  const [low, high] = [Math.floor(Math.min(...finite)), Math.ceil(Math.max(...finite))];
  const toX = (step) => left + (step / (losses.length - 1)) * (width - left - right);
  const toY = (exponent) =>
    height - bottom - ((exponent - low) / (high - low || 1)) * (height - top - bottom);
  const ticks = [...new Set([low, Math.round((low + high) / 2), high])];
  const points = exponents.map((e, n) => [toX(n), toY(Math.min(Math.max(e, low), high))]);
  const [first, last] = [losses[0], losses.at(-1)].map(formatSignificant);
  return element(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      style: `width: ${width}px`,
      role: "img",
      "aria-label": `Loss by step, logarithmic, from ${first} to ${last}`,
    },
    ...ticks.flatMap((exponent) => {
      const y = toY(exponent);
      const label = formatPowerOfTen(exponent);
      return [
        element("line", { class: "contour", x1: left, x2: width - right, y1: y, y2: y }),
        element("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, label),
      ];
    }),
    ...dottedLine(points),
    element("text", { x: left, y: height - 8 }, "0"),
    element(
      "text",
      { x: width - right, y: height - 8, "text-anchor": "end" },
      `${losses.length - 1}`,
    ),
    element("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle" }, "steps"),
  );
}

/** Format a power of ten. */
function formatPowerOfTen(exponent) {
  return Math.abs(exponent) > 4 ? `1e${exponent}` : String(Number(`1e${exponent}`));
}

/** Draw the path on the map, up to the first kernel far outside it. */
function drawPath(center, path) {
  const isNear = ([x, y]) => Math.abs(x) < 1e4 && Math.abs(y) < 1e4;
  const points = path.map((kernel) => toMapPixels(center, kernel));
  const end = points.findIndex((point) => !isNear(point));
  return dottedLine(end < 0 ? points : points.slice(0, end));
}

function render({ model, el }) {
  const q = quadraticLoss(imageFromRows(model.get("image")), imageFromRows(model.get("target")));
  const landscape = analyzeLoss(q);
  const center = landscape.minimum;
  const message = liveRegion();
  const moveStart = (event) => {
    const box = map.getBoundingClientRect();
    const scale = (2 * MAP_RADIUS) / box.width;
    const u = center[0] + (event.clientX - box.left - box.width / 2) * scale;
    const v = center[1] - (event.clientY - box.top - box.height / 2) * scale;
    setTraits(model, { start: [u, v].map((weight) => Math.round(weight * 100) / 100) });
  };
  const map = element("svg", {
    class: "map",
    viewBox: `0 0 ${MAP_SIDE} ${MAP_SIDE}`,
    style: `width: ${MAP_SIDE}px`,
    role: "img",
    pointerdown: (event) => {
      map.setPointerCapture(event.pointerId);
      moveStart(event);
    },
    pointermove: (event) => map.hasPointerCapture(event.pointerId) && moveStart(event),
  });
  const lossPanel = panel("Losses");
  const startSliders = [0, 1].map((axis) => {
    const [min, max] = [center[axis] - MAP_RADIUS, center[axis] + MAP_RADIUS];
    return slider(`initial w${axis + 1}`, { min, max, step: 0.05 }, (value) => {
      const start = [...model.get("start")];
      start[axis] = value;
      setTraits(model, { start });
    });
  });
  const maxRate = Number((2.5 / landscape.curvatures[1]).toPrecision(2)); // above the limit, 2
  const rateSlider = slider("learning rate", { min: 0, max: maxRate, step: 0.0005 }, (lr) =>
    setTraits(model, { lr }),
  );
  const stepsField = numberField("steps", { value: 10, min: 1, max: 100 }, (steps) =>
    setTraits(model, { steps }),
  );
  const background = [...drawContours(landscape, q), ...drawTicks(center)];

  const draw = () => {
    const [start, lr] = [model.get("start"), model.get("lr")];
    const path = gradientDescent(q, start, lr, model.get("steps"));
    const losses = path.map((kernel) => lossAt(q, kernel));
    const [cx, cy] = toMapPixels(center, start);
    const [x, y] = toMapPixels(center, center);
    map.replaceChildren(
      ...background,
      element("path", { class: "minimum", d: `M${x - 5} ${y}h10M${x} ${y - 5}v10` }),
      ...drawPath(center, path),
      element("circle", { class: "handle", cx, cy, r: 9 }),
    );
    const weights = start.map((weight) => formatNumber(weight)).join(", ");
    map.setAttribute("aria-label", `Map of the loss; the initial kernel is (${weights})`);
    lossPanel.replaceChildren(lossPanel.firstChild, lossPlot(losses));
    for (const axis of [0, 1]) startSliders[axis].setValue(start[axis], formatNumber(start[axis]));
    rateSlider.setValue(lr, formatNumber(lr, 4));
    stepsField.input.value = model.get("steps");
    message.textContent = describeDescent(q, path, lr);
  };
  setContent(
    el,
    "Gradient descent",
    element(
      "div",
      { class: "row top" },
      panel("Kernels (w1 horizontal, w2 vertical)", map),
      lossPanel,
    ),
    element("div", { class: "row" }, rateSlider.root, stepsField.root),
    element("div", { class: "row" }, ...startSliders.map(({ root }) => root)),
    message,
  );
  return observe(model, ["start", "lr", "steps"], draw);
}

export default { render };
