// The building blocks of the widgets: HTML elements, controls, number grids, images.

/** Diverging colors, orange to violet: ColorBrewer's PuOr, as in the course's figures. */
const DIVERGING_ANCHORS =
  "7f3b08 b35806 e08214 fdb863 fee0b6 f7f7f7 d8daeb b2abd2 8073ac 542788 2d004b".split(" ");
const CELL_SIZE = 40; // of a cell in a number grid, in pixels

/** Make an element. Functions become listeners; null and false omit an attribute. */
export function element(tag, attributes = {}, ...children) {
  const svgTags = ["svg", "rect", "text", "path", "line", "circle", "ellipse", "g"];
  const node = svgTags.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  // Otherwise JupyterLab would treat arrow keys, Enter and letters as its own shortcuts.
  if (["button", "input", "select"].includes(tag) || "tabindex" in attributes) {
    node.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  node.append(...children);
  return node;
}

/** Format a number with at most `digits` decimals, and zero without a minus sign. */
export function formatNumber(value, digits = 2) {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1e6) return value.toExponential(1);
  return String(Number(value.toFixed(digits)) + 0);
}

/** Make a button. */
export function button(text, onClick) {
  return element("button", { type: "button", click: onClick }, text);
}

/** Make a labeled number field; `onChange` is called with every valid number. */
export function numberField(label, { value, min, max, step = 1, hideLabel = false }, onChange) {
  const input = element("input", {
    type: "number",
    value,
    min,
    max,
    step,
    "aria-label": hideLabel ? label : null,
    input: () => input.value !== "" && input.checkValidity() && onChange(Number(input.value)),
  });
  return { input, root: hideLabel ? input : element("label", {}, label, input) };
}

/** Set a field's value, unless the user has just typed the same number. */
export function setFieldValue(input, value) {
  if (input.value === "" || Number(input.value) !== value) input.value = value;
}

/**
 * Make fields for a kernel's weights; `onChange` is called with all rows. `dragRate` is
 * the change of a weight per pixel that the mouse drags it up; with 0, it can't be dragged.
 */
export function kernelEditor(onChange, dragRate = 0) {
  const root = element("div", { class: dragRate ? "kernel draggable" : "kernel" });
  let fields = [[]];
  const readFields = () => onChange(fields.map((row) => row.map((input) => Number(input.value))));
  const makeField = (value, a, b) => {
    const options = { value, step: "any", hideLabel: true };
    const { input } = numberField(`K[${a}, ${b}]`, options, readFields);
    if (dragRate) makeDraggable(input, dragRate, readFields);
    return input;
  };
  const setKernel = (rows) => {
    if (rows.length === fields.length && rows[0].length === fields[0].length) {
      for (const [n, input] of fields.flat().entries()) setFieldValue(input, rows.flat()[n]);
      return;
    }
    fields = rows.map((row, a) => row.map((value, b) => makeField(value, a, b)));
    root.style.gridTemplateColumns = `repeat(${rows[0].length}, auto)`;
    root.replaceChildren(...fields.flat());
  };
  return { root, setKernel };
}

/** Change a field's number by dragging it up or down, or by 0.1 with the arrow keys. */
function makeDraggable(input, dragRate, onChange) {
  let start = null;
  input.addEventListener("pointerdown", (event) => {
    start = { y: event.clientY, value: Number(input.value) };
    input.setPointerCapture(event.pointerId);
  });
  input.addEventListener("pointermove", (event) => {
    if (!start || Math.abs(event.clientY - start.y) < 3) return;
    const change = Math.round((start.y - event.clientY) * dragRate * 10) / 10;
    input.value = formatNumber(start.value + change);
    onChange();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!step) return;
    event.preventDefault();
    input.value = formatNumber(Number(input.value) + step);
    onChange();
  });
  input.addEventListener("pointerup", () => (start = null));
  input.addEventListener("pointercancel", () => (start = null));
}

/** Make a labeled slider; `setValue` moves it and shows a text beside it. */
export function slider(label, { min, max, step }, onChange) {
  const input = element("input", {
    type: "range",
    min,
    max,
    step,
    input: () => onChange(Number(input.value)),
  });
  const valueText = element("span", { class: "value" });
  const setValue = (value, text) => {
    input.value = value;
    input.setAttribute("aria-valuetext", text);
    valueText.textContent = text;
  };
  return { input, setValue, root: element("label", { class: "wide" }, label, input, valueText) };
}

/** Make a labeled dropdown list. */
export function dropdown(label, names, onChange) {
  const options = names.map((name) => element("option", { value: name }, name));
  const input = element("select", { change: () => onChange(input.value) }, ...options);
  return { input, root: element("label", {}, label, input) };
}

/** Make a labeled checkbox. */
export function checkbox(label, checked, onChange) {
  const input = element("input", {
    type: "checkbox",
    checked: checked ? "" : null,
    change: () => onChange(input.checked),
  });
  return { input, root: element("label", {}, input, label) };
}

/** Make a live region: screen readers read its text aloud whenever it changes. */
export function liveRegion() {
  return element("p", { role: "status", class: "message" });
}

/** Make a panel with a title. */
export function panel(title, ...children) {
  const heading = element("strong", {}, title);
  return element(
    "div",
    { class: "panel", role: "group", "aria-label": title },
    heading,
    ...children,
  );
}

/** Set the content of a widget's element. */
export function setContent(el, label, ...children) {
  el.classList.add("conv-widget");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", label);
  el.replaceChildren(...children);
}

/** Set traits, and send them to the Python kernel if there is one. */
export function setTraits(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

/** Call `draw` now and whenever one of the traits changes; return how to stop that. */
export function observe(model, names, draw) {
  for (const name of names) model.on(`change:${name}`, draw);
  draw();
  return () => {
    for (const name of names) model.off(`change:${name}`, draw);
  };
}

/**
 * Draw rows of numbers as a grid. `cellClass(row, column)` returns a cell's classes;
 * `onClick(row, column)` is called when a cell is clicked.
 */
export function numberGrid(rows, label, cellClass = () => "", onClick = null) {
  const [width, height] = [rows[0].length * CELL_SIZE + 4, rows.length * CELL_SIZE + 4];
  const cells = rows.flatMap((row, i) =>
    row.map((value, j) => {
      const [x, y] = [2 + j * CELL_SIZE, 2 + i * CELL_SIZE];
      const text = value === null ? "" : formatNumber(value);
      const center = { x: x + CELL_SIZE / 2, y: y + CELL_SIZE / 2 + 5 };
      return element(
        "g",
        { class: cellClass(i, j), click: onClick ? () => onClick(i, j) : null },
        element("rect", { x, y, width: CELL_SIZE, height: CELL_SIZE }),
        element("text", { ...center, class: text.length > 4 ? "long" : "" }, text),
      );
    }),
  );
  const size = { viewBox: `0 0 ${width} ${height}`, style: `width: ${width}px` };
  return element("svg", { class: "grid", role: "img", "aria-label": label, ...size }, ...cells);
}

/** Interpolate 256 colors between hexadecimal ones, each as the four bytes of a pixel. */
function makeColormap(anchors) {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    const position = (n / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(position), anchors.length - 2);
    const bytes = [0, 2, 4].map((k) => {
      const [a, b] = [low, low + 1].map((i) => parseInt(anchors[i].slice(k, k + 2), 16));
      return Math.round(a + (position - low) * (b - a));
    });
    return new Uint32Array(Uint8Array.of(...bytes, 255).buffer)[0];
  });
}

const DIVERGING_COLORMAP = makeColormap(DIVERGING_ANCHORS);
const GRAY_COLORMAP = makeColormap(["000000", "ffffff"]);

/**
 * Compute the range of values that the colors span. If signed, it is centered on zero and
 * contains 99% of the values, so that a few extreme ones don't make the others pale.
 */
export function colorRange(values, signed) {
  if (signed) {
    const sizes = values.map(Math.abs).sort();
    const bound = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes.at(-1) || 1;
    return { low: -bound, high: bound };
  }
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** Draw an image on a canvas, one canvas pixel per image pixel. */
export function drawImage(canvas, { height, width, values }, { low, high, signed = false }) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const data = context.createImageData(width, height);
  const colormap = signed ? DIVERGING_COLORMAP : GRAY_COLORMAP;
  const pixels = new Uint32Array(data.data.buffer);
  const factor = 255 / (high - low || 1);
  for (let n = 0; n < values.length; n++) {
    const index = Math.round((values[n] - low) * factor);
    pixels[n] = colormap[Math.min(Math.max(index, 0), 255)];
  }
  context.putImageData(data, 0, 0);
}

/** Make a canvas for an image. */
export function imageCanvas(label) {
  return element("canvas", { role: "img", "aria-label": label });
}

/**
 * Make a pad for drawing with the mouse, a finger or the keyboard: arrow keys move the
 * pen, Enter or the space bar lowers and lifts it, Delete clears the pad.
 */
export function drawingPad(label, side, penRadius, onChange) {
  const image = { height: side, width: side, values: new Float64Array(side * side) };
  const pen = { row: (side - 1) / 2, column: (side - 1) / 2, down: false };
  const instructions =
    "Arrow keys move the pen, Enter lowers or lifts it, and Delete clears the pad.";
  const canvas = element("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label": `${label}. ${instructions}`,
    title: instructions,
  });
  const penMarker = element("span", { class: "pen" });
  const show = () => {
    drawImage(canvas, image, { low: 0, high: 1 });
    penMarker.style.left = `${((pen.column + 0.5) / side) * 100}%`;
    penMarker.style.top = `${((pen.row + 0.5) / side) * 100}%`;
    penMarker.classList.toggle("down", pen.down);
  };
  const movePen = (row, column, isDown) => {
    const previous = { ...pen };
    pen.row = Math.min(Math.max(row, 0), side - 1);
    pen.column = Math.min(Math.max(column, 0), side - 1);
    if (isDown) drawStroke(image, previous, pen, penRadius);
    show();
    if (isDown) onChange(image);
  };
  const eventPosition = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return [(y / box.height) * side - 0.5, (x / box.width) * side - 0.5];
  };
  const clear = () => {
    image.values.fill(0);
    show();
    onChange(image);
  };
  const setPixels = (values) => {
    image.values.set(values);
    show();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    [pen.row, pen.column] = eventPosition(event);
    movePen(...eventPosition(event), true);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) movePen(...eventPosition(event), true);
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
      movePen(pen.row + down, pen.column + right, pen.down);
    } else if (event.key === "Enter" || event.key === " ") {
      pen.down = !pen.down;
      movePen(pen.row, pen.column, pen.down);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  });
  show();
  return { root: element("div", { class: "pad" }, canvas, penMarker), image, clear, setPixels };
}

/** Draw a line: 1 up to the pen's radius, then falling to 0 over one pixel. */
function drawStroke(image, start, end, radius) {
  const [down, right] = [end.row - start.row, end.column - start.column];
  const squaredLength = down * down + right * right;
  for (let n = 0; n < image.values.length; n++) {
    const [i, j] = [Math.floor(n / image.width), n % image.width];
    const dot = (i - start.row) * down + (j - start.column) * right;
    const t = Math.min(Math.max(squaredLength ? dot / squaredLength : 0, 0), 1);
    const distance = Math.hypot(i - start.row - t * down, j - start.column - t * right);
    const value = Math.min(Math.max(radius + 1 - distance, 0), 1);
    image.values[n] = Math.max(image.values[n], value);
  }
}

/** Convert the bytes of a trait to a typed array. */
export function toTypedArray(view, Type) {
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
