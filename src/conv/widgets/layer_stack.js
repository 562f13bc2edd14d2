// Stack layers, and see shapes, parameters, multiplications and receptive fields.
import { summarizeLayers } from "./arithmetic.js";
import {
  button,
  dropdown,
  element,
  liveRegion,
  numberField,
  observe,
  panel,
  setContent,
  setFieldValue,
  setTraits,
} from "./kit.js";

const SIZES = ["kernel_size", "stride", "padding", "dilation"];
const OPTIONS = ["out_channels", ...SIZES, "groups"];
const RESULTS = ["shape", "parameters", "multiplications", "receptive field"];
const LABELS = { kernel_size: "kernel", out_channels: "channels" };
const KINDS = { convolution: "conv", "max pooling": "maxpool", "average pooling": "avgpool" };
const DRAWING = { height: 210, side: 150, margin: 16 }; // in pixels
const NEW_LAYER = {
  kind: "conv",
  out_channels: 16,
  kernel_size: [3, 3],
  stride: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
  groups: 1,
  bias: true,
};

/** Format a large integer with commas. */
export function formatCount(count) {
  return count.toLocaleString("en-US");
}

/** Describe a stack: its shapes, its costs and its receptive field. */
export function describeStack(shape, summaries) {
  const valid = withoutProblem(summaries);
  const total = (name) => formatCount(valid.reduce((sum, layer) => sum + layer[name], 0));
  const last = valid.at(-1) ?? { shape, field: [1, 1] };
  const problem = summaries.find((layer) => layer.problem)?.problem;
  const warning = problem ? ` Layer ${summaries.length} doesn't fit: ${problem}.` : "";
  return (
    `The stack maps ${shape.join(" × ")} to ${last.shape.join(" × ")} with ` +
    `${total("parameters")} parameters and ${total("multiplications")} multiplications. ` +
    `Its receptive field is ${last.field.join(" × ")}.${warning}`
  );
}

/** List the layers that fit their inputs. */
function withoutProblem(summaries) {
  return summaries.filter((layer) => !layer.problem);
}

/** Draw each shape as a box; the depth stands for the channels. */
function drawShapes(shape, summaries) {
  const shapes = [shape, ...withoutProblem(summaries).map((layer) => layer.shape)];
  const largest = Math.max(...shapes.flatMap(([, H, W]) => [H, W]));
  let x = 4;
  const parts = shapes.flatMap(([C, H, W]) => {
    const height = Math.max((H / largest) * DRAWING.side, 3);
    const width = Math.max((W / largest) * DRAWING.side * 0.35, 2);
    const depth = 4 + 4 * Math.log2(C + 1);
    const text = `${C}×${H}×${W}`;
    const top = 24 + (DRAWING.side - height) / 2;
    const left = x;
    x += Math.max(width + depth, 9 * text.length) + 10;
    const [dx, dy] = [depth / 2, -depth / 2];
    return [
      element("path", {
        class: "side",
        d: `M${left} ${top}l${dx} ${dy}h${width}v${height}l${-dx} ${-dy}z`,
      }),
      element("rect", { class: "front", x: left, y: top, width, height }),
      element("text", { x: left, y: DRAWING.height - 12 }, text),
    ];
  });
  const size = { viewBox: `0 0 ${Math.max(x, 200)} ${DRAWING.height}` };
  const style = `width: ${Math.max(x, 200)}px; max-width: none`;
  const label = `Shapes, channels × height × width: ${shapes.map((s) => s.join("×")).join(", ")}`;
  return element("svg", { role: "img", "aria-label": label, ...size, style }, ...parts);
}

/** Draw the receptive field of each layer on the input, with the layer's number. */
function drawFields([, H, W], summaries) {
  const fields = withoutProblem(summaries).map((layer) => layer.field);
  const scale = DRAWING.side / Math.max(H, W, ...fields.flat());
  const size = DRAWING.side + 2 * DRAWING.margin;
  const centeredRect = ([height, width], className) =>
    element("rect", {
      class: className,
      x: (size - width * scale) / 2,
      y: (size - height * scale) / 2,
      width: width * scale,
      height: height * scale,
    });
  // Subsequent fields can be similar: write inside of one, outside of the next.
  const layerNumber = ([height, width], n) => {
    const x = (size + (n % 2 ? 1 : -1) * width * scale) / 2 + 3;
    const y = (size - height * scale) / 2 + (n % 2 ? 0 : 13);
    return element("text", { x, y }, `${n + 1}`);
  };
  const label = `Receptive fields on the input: ${fields.map((f) => f.join("×")).join(", ")}`;
  return element(
    "svg",
    { role: "img", "aria-label": label, viewBox: `0 0 ${size} ${size}`, style: `width: ${size}px` },
    centeredRect([H, W], "input"),
    ...fields.map((field) => centeredRect(field, "field")),
    ...fields.map(layerNumber),
  );
}

/** Make a row of the table: the layer's options, then its results. */
function tableRow(layer, n, change, remove) {
  const kindLabel = `layer ${n + 1}, kind`;
  const kindList = dropdown(kindLabel, Object.keys(KINDS), (name) => change({ kind: KINDS[name] }));
  kindList.input.value = Object.keys(KINDS).find((name) => KINDS[name] === layer.kind);
  kindList.input.setAttribute("aria-label", kindLabel);
  const fields = {};
  const makeField = (name) => {
    const isPair = Array.isArray(layer[name]);
    const limits = { value: 1, min: name === "padding" ? 0 : 1, max: 4096, hideLabel: true };
    const set = (value) => change({ [name]: isPair ? [value, value] : value });
    fields[name] = numberField(`layer ${n + 1}, ${LABELS[name] ?? name}`, limits, set).input;
    return fields[name];
  };
  const isConv = layer.kind === "conv";
  const removeButton = button("✕", remove);
  removeButton.setAttribute("aria-label", `Remove layer ${n + 1}`);
  const inputs = OPTIONS.map((name) => (isConv || SIZES.includes(name) ? makeField(name) : ""));
  const resultCells = RESULTS.map(() => element("td"));
  const cells = [kindList.input, ...inputs, removeButton].map((cell) => element("td", {}, cell));
  const update = (current, summary) => {
    for (const [name, input] of Object.entries(fields)) {
      setFieldValue(input, [current[name]].flat()[0]);
    }
    const texts = formatResults(summary);
    for (const [k, cell] of resultCells.entries()) cell.textContent = texts[k];
  };
  return { root: element("tr", {}, ...cells, ...resultCells), update };
}

/** Format the results of a layer; empty after a layer that doesn't fit. */
function formatResults(summary) {
  if (!summary) return ["", "", "", ""];
  if (summary.problem) return ["doesn't fit", "", "", ""];
  const { shape, parameters, multiplications, field } = summary;
  return [
    shape.join(" × "),
    formatCount(parameters),
    formatCount(multiplications),
    field.join(" × "),
  ];
}

/** Make the table. Rows are rebuilt only if a layer is added, removed or changes its kind. */
function layerTable(model) {
  const setLayers = (layers) => setTraits(model, { layers });
  const titles = ["layer", ...OPTIONS.map((name) => LABELS[name] ?? name), "", ...RESULTS];
  const header = element("tr", {}, ...titles.map((name) => element("th", { scope: "col" }, name)));
  const root = element("table", {}, header);
  let [rows, kinds] = [[], ""];
  const update = (layers, summaries) => {
    if (String(layers.map((layer) => layer.kind)) !== kinds || rows.length !== layers.length) {
      kinds = String(layers.map((layer) => layer.kind));
      rows = layers.map((layer, n) => {
        const all = () => model.get("layers");
        const change = (options) =>
          setLayers(all().map((other, k) => (k === n ? { ...other, ...options } : other)));
        const remove = () => setLayers(all().filter((_, k) => k !== n));
        return tableRow(layer, n, change, remove);
      });
      root.replaceChildren(header, ...rows.map((row) => row.root));
    }
    for (const [n, row] of rows.entries()) row.update(layers[n], summaries[n]);
  };
  return { root, update };
}

function render({ model, el }) {
  const message = liveRegion();
  const table = layerTable(model);
  const [shapes, fields] = [element("div"), element("div")];
  const scrollable = (label, child) =>
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, child);
  const addButton = button("Add a layer", () =>
    setTraits(model, { layers: [...model.get("layers"), NEW_LAYER] }),
  );
  const draw = () => {
    const [shape, layers] = [model.get("shape"), model.get("layers")];
    const summaries = summarizeLayers(shape, layers);
    table.update(layers, summaries);
    shapes.replaceChildren(drawShapes(shape, summaries));
    fields.replaceChildren(drawFields(shape, summaries));
    message.textContent = describeStack(shape, summaries);
  };
  setContent(
    el,
    "Layer stack",
    scrollable("Layers", table.root),
    element("div", { class: "row" }, addButton),
    message,
    element(
      "div",
      { class: "row top" },
      panel("Shapes", scrollable("Shapes", shapes)),
      panel("Receptive fields on the input", fields),
    ),
  );
  return observe(model, ["shape", "layers"], draw);
}

export default { render };
