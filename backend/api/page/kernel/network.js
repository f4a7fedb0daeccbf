// The forward pass in integers (docs/spec/network.md §1, §3). Sums stay below 2^28, so 32 bits hold them.

/** Units of each layer, inputs first. */
export const LAYERS = [32, 128, 64, 64, 8];
export const WEIGHTS = 16_896;

const SHIFT = 12;
const TOP = 127;

/** Whether unit j of layer l is awake: sensor slots own 32 units of layer 1, appendage slots 16 of layer 3. */
export function awake(mask, layer, unit) {
  if (layer === 1) return (mask >> (unit >> 5)) & 1;
  if (layer === 3) return (mask >> (4 + (unit >> 4))) & 1;
  return 1;
}

/**
 * The activations of all layers [x, a1, a2, a3, z] of Int16Array(16896) weights and 32 inputs, each an Int32Array; the
 * last are the eight logits.
 */
export function forward(weights, mask, inputs) {
  const found = [inputs];
  let start = 0;
  for (let layer = 1; layer < LAYERS.length; layer++) {
    const source = found[layer - 1];
    const columns = LAYERS[layer];
    const sums = new Int32Array(columns);
    for (let i = 0; i < source.length; i++) {
      const x = source[i];
      if (x === 0) continue;
      const row = start + i * columns;
      for (let j = 0; j < columns; j++) sums[j] += x * weights[row + j];
    }
    start += source.length * columns;
    const last = layer === LAYERS.length - 1;
    found.push(
      sums.map((sum, j) => {
        const value = sum >> SHIFT;
        if (last) return value;
        return awake(mask, layer, j) ? Math.min(Math.max(value, 0), TOP) : 0;
      }),
    );
  }
  return found;
}

/** The eight logits alone. */
export const logits = (weights, mask, inputs) => forward(weights, mask, inputs)[LAYERS.length - 1];
