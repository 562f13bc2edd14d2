// The widgets' arithmetic. A picture is {height, width, values}: its rows, one after
// the other, in one array. tests/test_widgets.py compares all of it with conv and torch.

/** Make a picture of rows of numbers. */
export function picture(rows) {
  return { height: rows.length, width: rows[0].length, values: Float64Array.from(rows.flat()) };
}

/** Give a picture's rows. */
export function rowsOf({ height, width, values }) {
  return Array.from({ length: height }, (_, i) =>
    Array.from(values.subarray(i * width, (i + 1) * width)),
  );
}

/** Cut rows, or fill them up with zeros, to another size, from `shift` rows and columns on. */
export function resized(rows, height, width, shift = 0) {
  return Array.from({ length: height }, (_, a) =>
    Array.from({ length: width }, (_, b) => rows[a + shift]?.[b + shift] ?? 0),
  );
}

/** Make a picture of zeros. */
export function zeros(height, width) {
  return { height, width, values: new Float64Array(height * width) };
}

/** Count the places of a window along one side; 0 if it doesn't fit. */
export function places(size, kernel, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : Math.floor(room / stride) + 1;
}

/** Cross-correlate, tap by tap; each tap adds a shifted, scaled copy of the picture. */
export function conv2d(X, K, options = {}) {
  const Y = zeros(places(X.height, K.height, options), places(X.width, K.width, options));
  for (let a = 0; a < K.height; a++) {
    for (let b = 0; b < K.width; b++) {
      addTap(Y, X, K.values[a * K.width + b], a, b, options);
    }
  }
  return Y;
}

/** Add to Y the picture X as the kernel's tap (a, b) sees it, times a weight. */
function addTap(Y, X, weight, a, b, { stride = 1, padding = 0, dilation = 1 }) {
  const down = a * dilation - padding;
  const right = b * dilation - padding;
  // Where the tap lies beside the picture, it sees zeros: the columns between are left.
  const first = Math.max(0, Math.ceil(-right / stride));
  const end = Math.min(Y.width, Math.floor((X.width - 1 - right) / stride) + 1);
  for (let i = 0; i < Y.height; i++) {
    const row = i * stride + down;
    if (row < 0 || row >= X.height) continue;
    const from = row * X.width + right;
    for (let j = first; j < end; j++) {
      Y.values[i * Y.width + j] += weight * X.values[from + j * stride];
    }
  }
}

/** Read a pixel; null beside the picture. */
export function pixelAt(X, row, column) {
  const inside = row >= 0 && row < X.height && column >= 0 && column < X.width;
  return inside ? X.values[row * X.width + column] : null;
}

/** List what one window sees: for each tap the row, the column, the pixel, the weight. */
export function taps(X, K, position, options = {}) {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const columns = places(X.width, K.width, options);
  const [i, j] = [Math.floor(position / columns), position % columns];
  return Array.from(K.values, (weight, n) => {
    const row = i * stride - padding + Math.floor(n / K.width) * dilation;
    const column = j * stride - padding + (n % K.width) * dilation;
    const pixel = pixelAt(X, row, column) ?? 0;
    return { row, column, pixel, weight, product: pixel * weight };
  });
}

/**
 * Write the squared error of a 1 x 2 kernel as a quadratic of its weights:
 * a u² + 2 b u v + c v² - 2 d u - 2 e v + f.
 */
export function quadratic(X, Y) {
  const q = { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 };
  for (let i = 0; i < Y.height; i++) {
    for (let j = 0; j < Y.width; j++) {
      const left = X.values[i * X.width + j];
      const right = X.values[i * X.width + j + 1];
      const wanted = Y.values[i * Y.width + j];
      q.a += left * left;
      q.b += left * right;
      q.c += right * right;
      q.d += left * wanted;
      q.e += right * wanted;
      q.f += wanted * wanted;
    }
  }
  return q;
}

/** Compute the quadratic at one kernel. */
export function lossAt({ a, b, c, d, e, f }, [u, v]) {
  return a * u * u + 2 * b * u * v + c * v * v - 2 * d * u - 2 * e * v + f;
}

/** Find the valley: its lowest point, and its two directions, the flatter one first. */
export function valley({ a, b, c, d, e }) {
  const determinant = a * c - b * b;
  const lowest = [(c * d - b * e) / determinant, (a * e - b * d) / determinant];
  const spread = Math.hypot(a - c, 2 * b);
  const angle = Math.atan2(2 * b, a - c) / 2; // of the steep direction
  return {
    lowest,
    curvatures: [a + c - spread, a + c + spread], // the Hessian's eigenvalues
    directions: [
      [-Math.sin(angle), Math.cos(angle)],
      [Math.cos(angle), Math.sin(angle)],
    ],
  };
}

/** Walk downhill: the kernel before the first step and after each. */
export function descend(q, start, rate, steps) {
  const path = [start];
  for (let step = 0; step < steps; step++) {
    const [u, v] = path.at(-1);
    const slope = [2 * (q.a * u + q.b * v - q.d), 2 * (q.b * u + q.c * v - q.e)];
    path.push([u - rate * slope[0], v - rate * slope[1]]);
  }
  return path;
}

/**
 * Follow a shape through layers {kind, out_channels, kernel_size, stride, padding,
 * dilation, groups, bias}. Each stage gets its shape [C, H, W], parameters,
 * multiplications, receptive field [down, across] and the problem, if there is one.
 */
export function follow(shape, layers) {
  let [field, jump] = [
    [1, 1],
    [1, 1],
  ];
  const stages = [];
  for (const layer of layers) {
    const [C, H, W] = shape;
    const out = layer.kind === "conv" ? layer.out_channels : C;
    const [h, w] = layer.kernel_size;
    const side = (size, axis) =>
      places(size, layer.kernel_size[axis], {
        stride: layer.stride[axis],
        padding: layer.padding[axis],
        dilation: layer.dilation[axis],
      });
    const problem = mismatch(layer, C, [H, W]);
    if (problem) return [...stages, { problem }];
    const weights = layer.kind === "conv" ? (out * C * h * w) / layer.groups : 0;
    shape = [out, side(H, 0), side(W, 1)];
    field = field.map(
      (f, axis) => f + layer.dilation[axis] * (layer.kernel_size[axis] - 1) * jump[axis],
    );
    jump = jump.map((step, axis) => step * layer.stride[axis]);
    stages.push({
      shape,
      field,
      jump,
      parameters: weights + (layer.kind === "conv" && layer.bias ? out : 0),
      multiplications: weights * shape[1] * shape[2],
    });
  }
  return stages;
}

/** Say why a layer doesn't fit, or nothing. */
function mismatch({ kind, out_channels, kernel_size, padding, dilation, groups }, C, size) {
  if (kind === "conv" && (C % groups || out_channels % groups)) {
    return `${groups} groups don't divide ${C} channels into ${out_channels}`;
  }
  for (const axis of [0, 1]) {
    const covered = dilation[axis] * (kernel_size[axis] - 1) + 1;
    const there = size[axis] + 2 * padding[axis];
    if (covered > there) return `the window covers ${covered} pixels, ${there} are there`;
    if (kind !== "conv" && 2 * padding[axis] > kernel_size[axis]) {
      return `padding ${padding[axis]} is more than half of the window`;
    }
  }
  return "";
}

/**
 * Send a picture through a net. `layers` says kinds and sizes; `numbers` holds all
 * weights and biases, in the layers' order.
 */
export function forward(layers, numbers, X) {
  let channels = [X];
  let at = 0;
  const take = (count) => {
    at += count;
    return numbers.subarray(at - count, at);
  };
  for (const layer of layers) {
    if (layer.kind === "conv") {
      const size = channels.length * layer.kernel_size[0] * layer.kernel_size[1];
      const weights = take(layer.out_channels * size);
      channels = convolve(channels, layer, weights, take(layer.out_channels));
    } else if (layer.kind === "linear") {
      const flat = joined(channels);
      const weights = take(layer.out_features * flat.length);
      channels = [column(connect(flat, weights, take(layer.out_features)))];
    } else if (layer.kind === "relu") {
      channels = channels.map((x) => ({ ...x, values: x.values.map((v) => Math.max(v, 0)) }));
    } else if (layer.kind === "maxpool") {
      channels = channels.map((x) => maxPool(x, layer.kernel_size));
    }
  }
  return joined(channels);
}

/** Convolve all channels with all kernels, and add the biases. */
function convolve(channels, layer, weights, biases) {
  const [h, w] = layer.kernel_size;
  return Array.from(biases, (bias, o) => {
    const summands = channels.map((x, c) => {
      const from = (o * channels.length + c) * h * w;
      const kernel = { height: h, width: w, values: weights.subarray(from, from + h * w) };
      return conv2d(x, kernel, layer);
    });
    const [first, ...others] = summands;
    const sum = (v, n) => others.reduce((s, y) => s + y.values[n], v + bias);
    return { ...first, values: first.values.map(sum) };
  });
}

/** Keep the largest number of each window; the windows lie side by side. */
function maxPool(x, [h, w]) {
  const y = zeros(Math.floor(x.height / h), Math.floor(x.width / w));
  y.values = y.values.map((_, n) => {
    const [i, j] = [Math.floor(n / y.width) * h, (n % y.width) * w];
    let largest = -Infinity;
    for (let a = 0; a < h; a++) {
      for (let b = 0; b < w; b++) {
        largest = Math.max(largest, x.values[(i + a) * x.width + j + b]);
      }
    }
    return largest;
  });
  return y;
}

/** Multiply a column of numbers by a matrix, and add the biases. */
function connect(flat, weights, biases) {
  return Float64Array.from(biases, (bias, o) =>
    flat.reduce((sum, value, n) => sum + value * weights[o * flat.length + n], bias),
  );
}

/** Lay all channels one after the other. */
function joined(channels) {
  return Float64Array.from(channels.flatMap((x) => Array.from(x.values)));
}

/** Make a column of numbers a picture. */
function column(values) {
  return { height: values.length, width: 1, values };
}

/** Turn scores into probabilities. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/**
 * Treat ink as MNIST's makers did: crop it, scale it to fit 20 x 20, move the centre of
 * its mass to the middle of 28 x 28. Scaling takes the mean over each new pixel's area.
 */
export function likeMnist(ink) {
  const marked = [];
  ink.values.forEach((value, n) => {
    if (value > 0.1) marked.push([Math.floor(n / ink.width), n % ink.width]);
  });
  if (marked.length === 0) return zeros(28, 28);
  const [top, bottom] = extent(marked.map(([i]) => i));
  const [left, right] = extent(marked.map(([, j]) => j));
  const scale = 20 / Math.max(bottom - top, right - left);
  const box = zeros(
    Math.max(1, Math.round((bottom - top) * scale)),
    Math.max(1, Math.round((right - left) * scale)),
  );
  const mean = (n) => {
    const [i, j] = [Math.floor(n / box.width), n % box.width];
    const rows = [top + i / scale, top + (i + 1) / scale];
    const columns = [left + j / scale, left + (j + 1) / scale];
    return areaMean(ink, rows, columns);
  };
  box.values = box.values.map((_, n) => mean(n));
  return centred(box, 28);
}

/** Find the first number, and the one after the last. */
function extent(numbers) {
  return [Math.min(...numbers), Math.max(...numbers) + 1];
}

/** Average a picture over a rectangle whose sides may cut through pixels. */
function areaMean(x, [top, bottom], [left, right]) {
  let [sum, area] = [0, 0];
  for (let i = Math.floor(top); i < Math.min(Math.ceil(bottom), x.height); i++) {
    const high = Math.min(i + 1, bottom) - Math.max(i, top);
    for (let j = Math.floor(left); j < Math.min(Math.ceil(right), x.width); j++) {
      const part = high * (Math.min(j + 1, right) - Math.max(j, left));
      sum += part * x.values[i * x.width + j];
      area += part;
    }
  }
  return area > 0 ? sum / area : 0;
}

/** Lay a picture on an empty one, its centre of mass in the middle. */
function centred(x, side) {
  let [mass, down, right] = [0, 0, 0];
  x.values.forEach((value, n) => {
    mass += value;
    down += value * Math.floor(n / x.width);
    right += value * (n % x.width);
  });
  const middle = (side - 1) / 2;
  const clamp = (shift, size) => Math.min(Math.max(shift, 0), side - size);
  const top = clamp(Math.round(middle - down / mass), x.height);
  const left = clamp(Math.round(middle - right / mass), x.width);
  const y = zeros(side, side);
  x.values.forEach((value, n) => {
    y.values[(top + Math.floor(n / x.width)) * side + left + (n % x.width)] = value;
  });
  return y;
}
