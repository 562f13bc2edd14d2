// Stack layers; see shapes, parameters, multiplications and receptive field grow.
import { follow } from "./arithmetic.js";
import {
  button,
  choice,
  element,
  fill,
  follows,
  keep,
  numberField,
  part,
  speaker,
  sync,
} from "./kit.js";

const SIDES = ["kernel_size", "stride", "padding", "dilation"];
const FIELDS = ["out_channels", ...SIDES, "groups"];
const OUTCOMES = ["shape", "parameters", "multiplications", "sees"];
const NAMES = { kernel_size: "kernel", out_channels: "channels" };
const KINDS = { convolution: "conv", "max pooling": "maxpool", "average pooling": "avgpool" };
const BOARD = { height: 210, side: 150 };
const NEW = {
  kind: "conv",
  out_channels: 16,
  kernel_size: [3, 3],
  stride: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
  groups: 1,
  bias: true,
};

/** Write a large number with commas. */
export function counted(number) {
  return number.toLocaleString("en-US");
}

/** Sum up a stack in a sentence. */
export function summary(shape, stages) {
  const fine = stages.filter((stage) => !stage.problem);
  const total = (name) => counted(fine.reduce((sum, stage) => sum + stage[name], 0));
  const last = fine.at(-1) ?? { shape, field: [1, 1] };
  const problem = stages.find((stage) => stage.problem);
  const trouble = problem ? ` Layer ${stages.length} doesn't fit: ${problem.problem}.` : "";
  return (
    `From ${shape.join(" × ")} to ${last.shape.join(" × ")}: ${total("parameters")} ` +
    `parameters, ${total("multiplications")} multiplications; one output pixel sees ` +
    `${last.field.join(" × ")} pixels.${trouble}`
  );
}

/** Draw each shape as a box: its side for the side, its depth for the channels. */
function boxes(shape, stages) {
  const shapes = [shape, ...stages.filter((s) => !s.problem).map((s) => s.shape)];
  const largest = Math.max(...shapes.flatMap(([, H, W]) => [H, W]));
  const depth = ([C]) => 4 + 4 * Math.log2(C + 1);
  const drawn = shapes.map((s) => ({
    s,
    h: Math.max((s[1] / largest) * BOARD.side, 3),
    w: Math.max((s[2] / largest) * BOARD.side * 0.35, 2),
    d: depth(s),
  }));
  let x = 4;
  const parts = drawn.flatMap(({ s, h, w, d }) => {
    const top = 24 + (BOARD.side - h) / 2;
    const left = x;
    x += Math.max(w + d, 9 * s.join("×").length) + 10;
    return [
      element("path", {
        class: "side",
        d: `M${left} ${top}l${d / 2} ${-d / 2}h${w}v${h}l${-d / 2} ${d / 2}z`,
      }),
      element("rect", { class: "front", x: left, y: top, width: w, height: h }),
      element("text", { x: left, y: BOARD.height - 12 }, s.join("×")),
    ];
  });
  const size = { viewBox: `0 0 ${Math.max(x, 200)} ${BOARD.height}` };
  const style = `width: ${Math.max(x, 200)}px; max-width: none`;
  const label = `Shapes, channels × height × width: ${shapes.map((s) => s.join("×")).join(", ")}`;
  return element("svg", { role: "img", "aria-label": label, ...size, style }, ...parts);
}

/** Draw the receptive field of each layer on the input, one in the other. */
function fields([, H, W], stages) {
  const fine = stages.filter((stage) => !stage.problem);
  const reach = Math.max(H, W, ...fine.flatMap((stage) => stage.field));
  const unit = BOARD.side / reach;
  const centred = (width, height, look) =>
    element("rect", {
      class: look,
      x: 4 + (BOARD.side - width * unit) / 2,
      y: 4 + (BOARD.side - height * unit) / 2,
      width: width * unit,
      height: height * unit,
    });
  const label = `Receptive fields on the input: ${fine.map((s) => s.field.join("×")).join(", ")}`;
  const size = BOARD.side + 8;
  return element(
    "svg",
    { role: "img", "aria-label": label, viewBox: `0 0 ${size} ${size}`, style: `width: ${size}px` },
    centred(W, H, "input"),
    ...fine.map(({ field }) => centred(field[1], field[0], "field")),
  );
}

/** Make a row of the table: what changes the layer, then what comes of it. */
function tableRow(layer, n, change, remove) {
  const kinds = choice(`layer ${n + 1}, kind`, Object.keys(KINDS), (name) =>
    change({ kind: KINDS[name] }),
  );
  kinds.input.value = Object.keys(KINDS).find((name) => KINDS[name] === layer.kind);
  kinds.input.setAttribute("aria-label", `layer ${n + 1}, kind`);
  const fields = {};
  const field = (name) => {
    const pair = Array.isArray(layer[name]);
    const limits = { value: 1, min: name === "padding" ? 0 : 1, max: 4096, hidden: true };
    const set = (value) => change({ [name]: pair ? [value, value] : value });
    fields[name] = numberField(`layer ${n + 1}, ${NAMES[name] ?? name}`, limits, set).input;
    return fields[name];
  };
  const conv = layer.kind === "conv";
  const away = button("✕", remove);
  away.setAttribute("aria-label", `Remove layer ${n + 1}`);
  const inputs = FIELDS.map((name) => (conv || SIDES.includes(name) ? field(name) : ""));
  const results = OUTCOMES.map(() => element("td"));
  const cells = [kinds.input, ...inputs, away].map((cell) => element("td", {}, cell));
  const update = (now, stage) => {
    for (const [name, input] of Object.entries(fields)) sync(input, [now[name]].flat()[0]);
    const texts = outcome(stage);
    for (const [k, cell] of results.entries()) cell.textContent = texts[k];
  };
  return { root: element("tr", {}, ...cells, ...results), update };
}

/** Write what a stage came to. */
function outcome(stage) {
  if (!stage) return ["", "", "", ""];
  if (stage.problem) return ["doesn't fit", "", "", ""];
  const { shape, parameters, multiplications, field } = stage;
  return [shape.join(" × "), counted(parameters), counted(multiplications), field.join(" × ")];
}

/** Make the table; rows are made anew only if layers come, go or change their kind. */
function layerTable(model) {
  const set = (layers) => keep(model, { layers });
  const heads = ["layer", ...FIELDS.map((name) => NAMES[name] ?? name), "", ...OUTCOMES];
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const root = element("table", {}, head);
  let [rows, kinds] = [[], ""];
  const update = (layers, stages) => {
    if (String(layers.map((layer) => layer.kind)) !== kinds || rows.length !== layers.length) {
      kinds = String(layers.map((layer) => layer.kind));
      rows = layers.map((layer, n) => {
        const others = () => model.get("layers");
        const change = (part) => set(others().map((l, k) => (k === n ? { ...l, ...part } : l)));
        return tableRow(layer, n, change, () => set(others().filter((_, k) => k !== n)));
      });
      root.replaceChildren(head, ...rows.map((row) => row.root));
    }
    for (const [n, row] of rows.entries()) row.update(layers[n], stages[n]);
  };
  return { root, update };
}

function render({ model, el }) {
  const says = speaker();
  const table = layerTable(model);
  const [shapes, seen] = [element("div"), element("div")];
  const scroll = (name, inner) =>
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, inner);
  const add = button("Add a layer", () => keep(model, { layers: [...model.get("layers"), NEW] }));
  const draw = () => {
    const [shape, layers] = [model.get("shape"), model.get("layers")];
    const stages = follow(shape, layers);
    table.update(layers, stages);
    shapes.replaceChildren(boxes(shape, stages));
    seen.replaceChildren(fields(shape, stages));
    says.textContent = summary(shape, stages);
  };
  fill(
    el,
    "Layer stack",
    scroll("Layers", table.root),
    element("div", { class: "row" }, add),
    says,
    element(
      "div",
      { class: "row top" },
      part("Shapes", scroll("Shapes", shapes)),
      part("What one output pixel sees of the input", seen),
    ),
  );
  return follows(model, ["shape", "layers"], draw);
}

export default { render };
