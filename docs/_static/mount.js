// Run a page's widgets without a kernel, with a minimal version of anywidget's model.

/** Decode base64 to a DataView, which is how anywidget passes bytes. */
function decodeBytes(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}

/** Return whether two traits have the same value. */
function isSame(first, second) {
  if (Object.is(first, second)) return true;
  if (first instanceof DataView || second instanceof DataView) return false;
  return JSON.stringify(first) === JSON.stringify(second);
}

/** Make a model of traits that exists only on this page. */
function makeModel(traits) {
  const listeners = new Map(); // by event: a set of callbacks
  const emit = (event, ...args) => {
    for (const callback of listeners.get(event) ?? []) callback(...args);
  };
  const model = {
    get: (name) => traits[name],
    set: (name, value) => {
      if (isSame(traits[name], value)) return;
      traits[name] = value;
      emit(`change:${name}`, model, value);
      emit("change", model);
    },
    save_changes: () => {},
    on: (event, callback) => {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(callback);
    },
    off: (event, callback) => {
      if (callback) listeners.get(event)?.delete(callback);
      else listeners.delete(event);
    },
  };
  return model;
}

/** Replace a static image by its widget; if anything fails, the image remains. */
async function mount(container) {
  const { traits, buffers } = JSON.parse(container.querySelector("script").textContent);
  for (const [name, text] of Object.entries(buffers)) traits[name] = decodeBytes(text);
  const module = await import(new URL(`conv/${container.dataset.module}.js`, import.meta.url));
  const el = document.createElement("div");
  await module.default.render({ model: makeModel(traits), el });
  container.replaceChildren(el);
}

document.querySelectorAll(".conv-mount").forEach(mount);
