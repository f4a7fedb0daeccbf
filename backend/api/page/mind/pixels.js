// Small numbers as coloured cells on a canvas, one pixel each; the style sheet enlarges them.
import { ink } from "../theme.js";

/** Red, green and blue of a colour of the style sheet. */
const channels = (name) =>
  ink(name)
    .match(/[\d.]+/g)
    ?.slice(0, 3)
    .map(Number) ?? [0, 0, 0];

/** From −1 to 1: from one colour over the panel's to the other; the square root lets small numbers be seen. */
export function diverging() {
  const [low, zero, high] = ["guard", "panel", "accent"].map(channels);
  return (value) => {
    const part = Math.sqrt(Math.min(Math.abs(value), 1));
    const end = value < 0 ? low : high;
    return zero.map((from, i) => from + (end[i] - from) * part);
  };
}

/** From 0 to 1: from the sunken ground to gold. */
export function rising() {
  const [zero, high] = ["sunk", "gold"].map(channels);
  return (value) => zero.map((from, i) => from + (high[i] - from) * Math.min(Math.max(value, 0), 1));
}

/** Fill a canvas of `columns` × `rows` with the colours of `valueAt(column, row)`. */
export function paint(canvas, columns, rows, valueAt, colourOf) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(columns, rows);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const [red, green, blue] = colourOf(valueAt(x, y));
      image.data.set([red, green, blue, 255], 4 * (y * columns + x));
    }
  pen.putImageData(image, 0, 0);
}
