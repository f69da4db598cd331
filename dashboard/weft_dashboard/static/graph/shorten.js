// Cutting a name to the room in its box, by the width the browser gives its letters.

const ELLIPSIS = "…";
const KEEP_AT_MOST = 5000;

/** @type {Map<string, string>} */
const known = new Map();

const pen = document.createElement("canvas").getContext("2d");

/** @param {string} text @param {string} font */
function width(text, font) {
  if (!pen) return text.length * 7; // no canvas: a guess is better than nothing
  pen.font = font;
  return pen.measureText(text).width;
}

/** Longest beginning that fits. @param {string} text @param {number} room @param {string} font */
function cut(text, room, font) {
  const letters = [...text.slice(0, 300)];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const fits = width(letters.slice(0, middle).join("") + ELLIPSIS, font) <= room;
    [low, high] = fits ? [middle, high] : [low, middle - 1];
  }
  return letters.slice(0, low).join("") + ELLIPSIS;
}

/** The text, or its beginning with an ellipsis. @param {string} text @param {number} room Pixels. @param {string} font As in CSS. */
export function shorten(text, room, font) {
  const key = `${font}|${room}|${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const short = text.length <= 300 && width(text, font) <= room ? text : cut(text, room, font);
  if (known.size >= KEEP_AT_MOST) known.clear();
  known.set(key, short);
  return short;
}
