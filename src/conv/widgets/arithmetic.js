// The widgets' arithmetic. An image is {height, width, values}: its pixels in one array,
// row by row. tests/test_widgets.py compares everything here with conv and PyTorch.

/** Make an image from nested arrays. */
export function imageFromRows(rows) {
  return { height: rows.length, width: rows[0].length, values: Float64Array.from(rows.flat()) };
}

/** Convert an image to nested arrays. */
export function toRows({ height, width, values }) {
  return Array.from({ length: height }, (_, i) =>
    Array.from(values.subarray(i * width, (i + 1) * width)),
  );
}

/** Crop rows, or extend them with zeros, to a size, beginning at row and column `start`. */
export function cropOrPad(rows, height, width, start = 0) {
  return Array.from({ length: height }, (_, a) =>
    Array.from({ length: width }, (_, b) => rows[a + start]?.[b + start] ?? 0),
  );
}

/** Make an image of zeros. */
export function zeros(height, width) {
  return { height, width, values: new Float64Array(height * width) };
}

/** Compute the output size along one axis; 0 if the window doesn't fit. */
export function outputSize(size, kernelSize, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const room = size + 2 * padding - dilation * (kernelSize - 1) - 1;
  return room < 0 ? 0 : Math.floor(room / stride) + 1;
}

/** Cross-correlate, looping over the taps: each adds a shifted, scaled crop of the image. */
export function conv2d(X, K, options = {}) {
  const Y = zeros(outputSize(X.height, K.height, options), outputSize(X.width, K.width, options));
  for (let a = 0; a < K.height; a++) {
    for (let b = 0; b < K.width; b++) {
      addTap(Y, X, K.values[a * K.width + b], a, b, options);
    }
  }
  return Y;
}

/** Add to Y the crop of X under the kernel's tap (a, b), multiplied by its weight. */
function addTap(Y, X, weight, a, b, { stride = 1, padding = 0, dilation = 1 }) {
  const down = a * dilation - padding;
  const right = b * dilation - padding;
  // In the padding, the tap sees zeros, so only the columns inside the image count.
  const first = Math.max(0, Math.ceil(-right / stride));
  const end = Math.min(Y.width, Math.floor((X.width - 1 - right) / stride) + 1);
  for (let i = 0; i < Y.height; i++) {
    const row = i * stride + down;
    if (row < 0 || row >= X.height) continue;
    const offset = row * X.width + right;
    for (let j = first; j < end; j++) {
      Y.values[i * Y.width + j] += weight * X.values[offset + j * stride];
    }
  }
}

/** Return a pixel; null outside the image. */
export function pixelAt(X, row, column) {
  const inside = row >= 0 && row < X.height && column >= 0 && column < X.width;
  return inside ? X.values[row * X.width + column] : null;
}

/** List the row, column, pixel, weight and product of every tap of one window. */
export function windowTaps(X, K, position, options = {}) {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const columns = outputSize(X.width, K.width, options);
  const [i, j] = [Math.floor(position / columns), position % columns];
  return Array.from(K.values, (weight, n) => {
    const row = i * stride - padding + Math.floor(n / K.width) * dilation;
    const column = j * stride - padding + (n % K.width) * dilation;
    const pixel = pixelAt(X, row, column) ?? 0;
    return { row, column, pixel, weight, product: pixel * weight };
  });
}

/**
 * Write the squared error of a 1 × 2 kernel (u, v) as a quadratic, and return its
 * coefficients: a u² + 2 b u v + c v² - 2 d u - 2 e v + f.
 */
export function quadraticLoss(X, Y) {
  const q = { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 };
  for (let i = 0; i < Y.height; i++) {
    for (let j = 0; j < Y.width; j++) {
      const left = X.values[i * X.width + j];
      const right = X.values[i * X.width + j + 1];
      const target = Y.values[i * Y.width + j];
      q.a += left * left;
      q.b += left * right;
      q.c += right * right;
      q.d += left * target;
      q.e += right * target;
      q.f += target * target;
    }
  }
  return q;
}

/** Evaluate the quadratic loss of one kernel. */
export function lossAt({ a, b, c, d, e, f }, [u, v]) {
  return a * u * u + 2 * b * u * v + c * v * v - 2 * d * u - 2 * e * v + f;
}

/** Compute the loss's minimum and the Hessian's eigenvalues and eigenvectors, ascending. */
export function analyzeLoss({ a, b, c, d, e }) {
  const determinant = a * c - b * b;
  const minimum = [(c * d - b * e) / determinant, (a * e - b * d) / determinant];
  const spread = Math.hypot(a - c, 2 * b);
  const angle = Math.atan2(2 * b, a - c) / 2; // of the steepest direction
  return {
    minimum,
    curvatures: [a + c - spread, a + c + spread],
    directions: [
      [-Math.sin(angle), Math.cos(angle)],
      [Math.cos(angle), Math.sin(angle)],
    ],
  };
}

/** Run gradient descent, and list the kernels: the initial one, then one per step. */
export function gradientDescent(q, start, learningRate, steps) {
  const path = [start];
  for (let step = 0; step < steps; step++) {
    const [u, v] = path.at(-1);
    const gradient = [2 * (q.a * u + q.b * v - q.d), 2 * (q.b * u + q.c * v - q.e)];
    path.push([u - learningRate * gradient[0], v - learningRate * gradient[1]]);
  }
  return path;
}

/**
 * Summarize layers {kind, out_channels, kernel_size, stride, padding, dilation, groups,
 * bias} for an input shape [C, H, W]. Each summary has the output's shape, the number of
 * parameters and multiplications, and the receptive field [height, width]. The first
 * layer that doesn't fit has a `problem` instead, and ends the list.
 */
export function summarizeLayers(shape, layers) {
  let [field, jump] = [
    [1, 1],
    [1, 1],
  ];
  const summaries = [];
  for (const layer of layers) {
    const [C, H, W] = shape;
    const outChannels = layer.kind === "conv" ? layer.out_channels : C;
    const [h, w] = layer.kernel_size;
    const sizeAlong = (size, axis) =>
      outputSize(size, layer.kernel_size[axis], {
        stride: layer.stride[axis],
        padding: layer.padding[axis],
        dilation: layer.dilation[axis],
      });
    const problem = findMismatch(layer, C, [H, W]);
    if (problem) return [...summaries, { problem }];
    const weights = layer.kind === "conv" ? (outChannels * C * h * w) / layer.groups : 0;
    shape = [outChannels, sizeAlong(H, 0), sizeAlong(W, 1)];
    field = field.map(
      (f, axis) => f + layer.dilation[axis] * (layer.kernel_size[axis] - 1) * jump[axis],
    );
    jump = jump.map((step, axis) => step * layer.stride[axis]);
    summaries.push({
      shape,
      field,
      parameters: weights + (layer.kind === "conv" && layer.bias ? outChannels : 0),
      multiplications: weights * shape[1] * shape[2],
    });
  }
  return summaries;
}

/** Explain why a layer doesn't fit its input; an empty text if it does. */
function findMismatch({ kind, out_channels, kernel_size, padding, dilation, groups }, C, size) {
  if (kind === "conv" && (C % groups || out_channels % groups)) {
    return `${C} input and ${out_channels} output channels can't be split into ${groups} groups`;
  }
  for (const axis of [0, 1]) {
    const extent = dilation[axis] * (kernel_size[axis] - 1) + 1;
    const available = size[axis] + 2 * padding[axis];
    if (extent > available) {
      return `its window covers ${extent} pixels, but the padded input has ${available}`;
    }
    if (kind !== "conv" && 2 * padding[axis] > kernel_size[axis]) {
      return `padding ${padding[axis]} is more than half of the window size`;
    }
  }
  return "";
}

/**
 * Compute a network's scores for an image. `layers` has kinds and sizes; `parameters` has
 * every layer's weights and biases, one after the other.
 */
export function forward(layers, parameters, X) {
  let channels = [X];
  let offset = 0;
  const next = (count) => {
    offset += count;
    return parameters.subarray(offset - count, offset);
  };
  for (const layer of layers) {
    if (layer.kind === "conv") {
      const size = channels.length * layer.kernel_size[0] * layer.kernel_size[1];
      const weights = next(layer.out_channels * size);
      channels = convLayer(channels, layer, weights, next(layer.out_channels));
    } else if (layer.kind === "linear") {
      const inputs = flatten(channels);
      const weights = next(layer.out_features * inputs.length);
      const values = linearLayer(inputs, weights, next(layer.out_features));
      channels = [{ height: values.length, width: 1, values }];
    } else if (layer.kind === "relu") {
      channels = channels.map((x) => ({ ...x, values: x.values.map((v) => Math.max(v, 0)) }));
    } else if (layer.kind === "maxpool") {
      channels = channels.map((x) => maxPool(x, layer.kernel_size));
    }
  }
  return flatten(channels);
}

/** Convolve all channels with all kernels, and add the biases. */
function convLayer(channels, layer, weights, biases) {
  const [h, w] = layer.kernel_size;
  return Array.from(biases, (bias, o) => {
    const terms = channels.map((x, c) => {
      const start = (o * channels.length + c) * h * w;
      const kernel = { height: h, width: w, values: weights.subarray(start, start + h * w) };
      return conv2d(x, kernel, layer);
    });
    const [first, ...others] = terms;
    const sum = (v, n) => others.reduce((s, y) => s + y.values[n], v + bias);
    return { ...first, values: first.values.map(sum) };
  });
}

/** Take the maximum of every window; the windows don't overlap. */
function maxPool(x, [h, w]) {
  const y = zeros(Math.floor(x.height / h), Math.floor(x.width / w));
  y.values = y.values.map((_, n) => {
    const [i, j] = [Math.floor(n / y.width) * h, (n % y.width) * w];
    let maximum = -Infinity;
    for (let a = 0; a < h; a++) {
      for (let b = 0; b < w; b++) {
        maximum = Math.max(maximum, x.values[(i + a) * x.width + j + b]);
      }
    }
    return maximum;
  });
  return y;
}

/** Multiply a vector by a matrix, and add the biases. */
function linearLayer(inputs, weights, biases) {
  return Float64Array.from(biases, (bias, o) =>
    inputs.reduce((sum, value, n) => sum + value * weights[o * inputs.length + n], bias),
  );
}

/** Concatenate all channels into one array. */
function flatten(channels) {
  return Float64Array.from(channels.flatMap((x) => Array.from(x.values)));
}

/** Convert scores to probabilities. */
export function softmax(scores) {
  const maximum = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - maximum));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/**
 * Preprocess a drawing as in MNIST: crop it, scale it to fit 20 × 20 pixels, and move its
 * center of mass to the center of 28 × 28. Scaling averages over each new pixel's area.
 */
export function preprocessDigit(drawing) {
  const inked = [];
  drawing.values.forEach((value, n) => {
    if (value > 0.1) inked.push([Math.floor(n / drawing.width), n % drawing.width]);
  });
  if (inked.length === 0) return zeros(28, 28);
  const [top, bottom] = bounds(inked.map(([i]) => i));
  const [left, right] = bounds(inked.map(([, j]) => j));
  const scale = 20 / Math.max(bottom - top, right - left);
  const scaled = zeros(
    Math.max(1, Math.round((bottom - top) * scale)),
    Math.max(1, Math.round((right - left) * scale)),
  );
  scaled.values = scaled.values.map((_, n) => {
    const [i, j] = [Math.floor(n / scaled.width), n % scaled.width];
    const rows = [top + i / scale, top + (i + 1) / scale];
    const columns = [left + j / scale, left + (j + 1) / scale];
    return areaMean(drawing, rows, columns);
  });
  return centerByMass(scaled, 28);
}

/** Return the smallest integer, and the largest plus one. */
function bounds(integers) {
  return [Math.min(...integers), Math.max(...integers) + 1];
}

/** Average an image over a rectangle whose sides may cut through pixels. */
function areaMean(x, [top, bottom], [left, right]) {
  let [sum, area] = [0, 0];
  for (let i = Math.floor(top); i < Math.min(Math.ceil(bottom), x.height); i++) {
    const height = Math.min(i + 1, bottom) - Math.max(i, top);
    for (let j = Math.floor(left); j < Math.min(Math.ceil(right), x.width); j++) {
      const overlap = height * (Math.min(j + 1, right) - Math.max(j, left));
      sum += overlap * x.values[i * x.width + j];
      area += overlap;
    }
  }
  return area > 0 ? sum / area : 0;
}

/** Place an image in an empty square, with its center of mass in the middle. */
function centerByMass(x, side) {
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
