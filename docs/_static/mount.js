// Bring a page's widgets to life without a kernel: a small model, as anywidget has one.

/** Read bytes written in base64, as anywidget gives them: a DataView. */
function bytes(text) {
  const codes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(codes.buffer);
}

/** Say whether two traits have the same value. */
function same(one, other) {
  if (Object.is(one, other)) return true;
  if (one instanceof DataView || other instanceof DataView) return false;
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Make a model of traits that nobody but this page listens to. */
function modelOf(traits) {
  const listeners = new Map(); // by event: a set of callbacks
  const emit = (event, ...told) => {
    for (const call of listeners.get(event) ?? []) call(...told);
  };
  const model = {
    get: (name) => traits[name],
    set: (name, value) => {
      if (same(traits[name], value)) return;
      traits[name] = value;
      emit(`change:${name}`, model, value);
      emit("change", model);
    },
    save_changes: () => {},
    on: (event, call) => {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(call);
    },
    off: (event, call) => (call ? listeners.get(event)?.delete(call) : listeners.delete(event)),
  };
  return model;
}

/** Put a widget in the place of its still picture, which stays if anything fails. */
async function mount(place) {
  const { traits, buffers } = JSON.parse(place.querySelector("script").textContent);
  for (const [name, text] of Object.entries(buffers)) traits[name] = bytes(text);
  const module = await import(new URL(`conv/${place.dataset.module}.js`, import.meta.url));
  const el = document.createElement("div");
  await module.default.render({ model: modelOf(traits), el });
  place.replaceChildren(el);
}

document.querySelectorAll(".conv-mount").forEach(mount);
