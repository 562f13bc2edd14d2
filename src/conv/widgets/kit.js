// What the widgets' pages are made of: elements, controls, number grids, pictures.

/** The shades of signed numbers, orange to violet: ColorBrewer's PuOr, as in the figures. */
const SIGNED = "7f3b08 b35806 e08214 fdb863 fee0b6 f7f7f7 d8daeb b2abd2 8073ac 542788 2d004b".split(
  " ",
);
const CELL = 40; // pixels a side of a cell with a number in it

/** Make an element. Functions become listeners, null and false leave an attribute out. */
export function element(tag, attributes = {}, ...children) {
  const namespace = ["svg", "rect", "text", "path", "line", "circle", "ellipse", "g"];
  const node = namespace.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  // JupyterLab would take arrow keys, Enter and letters for shortcuts of its own.
  if (["button", "input", "select"].includes(tag) || "tabindex" in attributes) {
    node.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  node.append(...children);
  return node;
}

/** Write a number with at most `digits` decimals, and no minus before a zero. */
export function short(value, digits = 2) {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1e6) return value.toExponential(1);
  return String(Number(value.toFixed(digits)) + 0);
}

/** Make a button. */
export function button(text, act) {
  return element("button", { type: "button", click: act }, text);
}

/** Make a labelled number field; `change` gets each number that is allowed. */
export function numberField(label, { value, min, max, step = 1, hidden = false }, change) {
  const input = element("input", {
    type: "number",
    value,
    min,
    max,
    step,
    "aria-label": hidden ? label : null,
    input: () => input.value !== "" && input.checkValidity() && change(Number(input.value)),
  });
  return { input, root: hidden ? input : element("label", {}, label, input) };
}

/** Put a value into a field, unless it is there already. */
export function sync(input, value) {
  if (input.value === "" || Number(input.value) !== value) input.value = value;
}

/**
 * Make fields for a kernel's numbers; `change` gets all rows. `drag` is how much a
 * number grows for each pixel that the mouse pulls it up, or 0.
 */
export function kernelEditor(change, drag = 0) {
  const root = element("div", { class: drag ? "kernel drag" : "kernel" });
  let fields = [[]];
  const read = () => change(fields.map((row) => row.map((input) => Number(input.value))));
  const make = (value, a, b) => {
    const options = { value, step: "any", hidden: true };
    const { input } = numberField(`K[${a}, ${b}]`, options, read);
    if (drag) pulled(input, drag, read);
    return input;
  };
  const set = (rows) => {
    if (rows.length === fields.length && rows[0].length === fields[0].length) {
      for (const [n, input] of fields.flat().entries()) sync(input, rows.flat()[n]);
      return;
    }
    fields = rows.map((row, a) => row.map((value, b) => make(value, a, b)));
    root.style.gridTemplateColumns = `repeat(${rows[0].length}, auto)`;
    root.replaceChildren(...fields.flat());
  };
  return { root, set };
}

/** Let the mouse, or a finger, pull a field's number up and down; arrow keys by 0.1. */
function pulled(input, drag, change) {
  let from = null;
  input.addEventListener("pointerdown", (event) => {
    from = { y: event.clientY, value: Number(input.value) };
    input.setPointerCapture(event.pointerId);
  });
  input.addEventListener("pointermove", (event) => {
    if (!from || Math.abs(event.clientY - from.y) < 3) return;
    input.value = short(from.value + Math.round((from.y - event.clientY) * drag * 10) / 10);
    change();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!step) return;
    event.preventDefault();
    input.value = short(Number(input.value) + step);
    change();
  });
  input.addEventListener("pointerup", () => (from = null));
  input.addEventListener("pointercancel", () => (from = null));
}

/** Make a labelled slider; `show` puts it somewhere, with a text beside it. */
export function slider(label, { min, max, step }, change) {
  const input = element("input", {
    type: "range",
    min,
    max,
    step,
    input: () => change(Number(input.value)),
  });
  const beside = element("span", { class: "beside" });
  const show = (value, text) => {
    input.value = value;
    input.setAttribute("aria-valuetext", text);
    beside.textContent = text;
  };
  return { input, show, root: element("label", { class: "wide" }, label, input, beside) };
}

/** Make a labelled choice from names. */
export function choice(label, names, change) {
  const options = names.map((name) => element("option", { value: name }, name));
  const input = element("select", { change: () => change(input.value) }, ...options);
  return { input, root: element("label", {}, label, input) };
}

/** Make a labelled tick box. */
export function tick(label, checked, change) {
  const input = element("input", {
    type: "checkbox",
    checked: checked ? "" : null,
    change: () => change(input.checked),
  });
  return { input, root: element("label", {}, input, label) };
}

/** Make a sentence that screen readers speak whenever it changes. */
export function speaker() {
  return element("p", { role: "status", class: "says" });
}

/** Make a part of a widget, with a name above it. */
export function part(name, ...children) {
  const title = element("strong", {}, name);
  return element("div", { class: "part", role: "group", "aria-label": name }, title, ...children);
}

/** Fill a widget's place on the page. */
export function fill(el, name, ...children) {
  el.classList.add("conv-widget");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", name);
  el.replaceChildren(...children);
}

/** Keep a trait: tell the kernel, or whoever listens, what it is now. */
export function keep(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

/** Draw anew whenever one of the traits changes; return how to stop that. */
export function follows(model, names, draw) {
  for (const name of names) model.on(`change:${name}`, draw);
  draw();
  return () => {
    for (const name of names) model.off(`change:${name}`, draw);
  };
}

/**
 * Draw rows of numbers as a grid. `look(row, column)` gives a cell's classes; `pick`
 * is called with the cell that is clicked.
 */
export function numberGrid(rows, name, look = () => "", pick = null) {
  const [width, height] = [rows[0].length * CELL + 4, rows.length * CELL + 4];
  const cells = rows.flatMap((row, i) =>
    row.map((value, j) => {
      const [x, y] = [2 + j * CELL, 2 + i * CELL];
      const text = value === null ? "" : short(value);
      const at = { x: x + CELL / 2, y: y + CELL / 2 + 5, class: text.length > 4 ? "long" : "" };
      return element(
        "g",
        { class: look(i, j), click: pick ? () => pick(i, j) : null },
        element("rect", { x, y, width: CELL, height: CELL }),
        element("text", at, text),
      );
    }),
  );
  const size = { viewBox: `0 0 ${width} ${height}`, style: `width: ${width}px` };
  return element("svg", { class: "grid", role: "img", "aria-label": name, ...size }, ...cells);
}

/** Make 256 shades from hexadecimal colours, each as the four bytes of a pixel. */
function shades(anchors) {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    const at = (n / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(at), anchors.length - 2);
    const bytes = [0, 2, 4].map((k) => {
      const [a, b] = [low, low + 1].map((i) => parseInt(anchors[i].slice(k, k + 2), 16));
      return Math.round(a + (at - low) * (b - a));
    });
    return new Uint32Array(Uint8Array.of(...bytes, 255).buffer)[0];
  });
}

const SIGNED_SHADES = shades(SIGNED);
const GREY_SHADES = shades(["000000", "ffffff"]);

/** Find the scale of a picture: signed ones are centred on zero. */
export function scaleOf(values, signed) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!signed) return { low, high };
  const reach = Math.max(-low, high) || 1;
  return { low: -reach, high: reach };
}

/** Paint a picture onto a canvas, one canvas pixel for each of its pixels. */
export function paint(canvas, { height, width, values }, { low, high, signed = false }) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const colours = signed ? SIGNED_SHADES : GREY_SHADES;
  const pixels = new Uint32Array(image.data.buffer);
  const factor = 255 / (high - low || 1);
  for (let n = 0; n < values.length; n++) {
    const shade = Math.round((values[n] - low) * factor);
    pixels[n] = colours[Math.min(Math.max(shade, 0), 255)];
  }
  context.putImageData(image, 0, 0);
}

/** Make a canvas that stands for a picture. */
export function canvasFor(name) {
  return element("canvas", { role: "img", "aria-label": name });
}

/**
 * Make a pad to draw on, with the mouse, a finger, or the keys: arrows move the pen,
 * Enter or the space bar lowers and lifts it, Delete clears.
 */
export function pad(name, side, radius, change) {
  const ink = { height: side, width: side, values: new Float64Array(side * side) };
  const pen = { row: (side - 1) / 2, column: (side - 1) / 2, down: false };
  const how = "Arrow keys move the pen, Enter lowers and lifts it, Delete clears.";
  const canvas = element("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label": `${name}. ${how}`,
    title: how,
  });
  const ring = element("span", { class: "pen" });
  const show = () => {
    paint(canvas, ink, { low: 0, high: 1 });
    ring.style.left = `${((pen.column + 0.5) / side) * 100}%`;
    ring.style.top = `${((pen.row + 0.5) / side) * 100}%`;
    ring.classList.toggle("down", pen.down);
  };
  const moveTo = (row, column, draws) => {
    const from = { ...pen };
    pen.row = Math.min(Math.max(row, 0), side - 1);
    pen.column = Math.min(Math.max(column, 0), side - 1);
    if (draws) stroke(ink, from, pen, radius);
    show();
    if (draws) change(ink);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return [(y / box.height) * side - 0.5, (x / box.width) * side - 0.5];
  };
  const clear = () => {
    ink.values.fill(0);
    show();
    change(ink);
  };
  const put = (values) => {
    ink.values.set(values);
    show();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    [pen.row, pen.column] = place(event);
    moveTo(...place(event), true);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) moveTo(...place(event), true);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = side / 28;
    const moves = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    };
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      moveTo(pen.row + down, pen.column + right, pen.down);
    } else if (event.key === "Enter" || event.key === " ") {
      pen.down = !pen.down;
      moveTo(pen.row, pen.column, pen.down);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  });
  show();
  return { root: element("div", { class: "pad" }, canvas, ring), ink, clear, put };
}

/** Leave ink along a line: full up to the pen's radius, then fading over one pixel. */
function stroke(ink, from, to, radius) {
  const [down, right] = [to.row - from.row, to.column - from.column];
  const length = down * down + right * right;
  for (let n = 0; n < ink.values.length; n++) {
    const [i, j] = [Math.floor(n / ink.width), n % ink.width];
    const along = length ? ((i - from.row) * down + (j - from.column) * right) / length : 0;
    const t = Math.min(Math.max(along, 0), 1);
    const distance = Math.hypot(i - from.row - t * down, j - from.column - t * right);
    const left = Math.min(Math.max(radius + 1 - distance, 0), 1);
    ink.values[n] = Math.max(ink.values[n], left);
  }
}

/** Read a trait of bytes as numbers. */
export function numbersOf(view, Type) {
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
