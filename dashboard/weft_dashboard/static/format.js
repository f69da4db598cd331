// Figures and names as text. Figures carry their unit; names are hostile and shown, never obeyed.

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const NONE = "–";

// Characters that would reorder, hide or break the text around a name.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A name as it may be shown: control and direction characters become a visible mark. @param {string} text */
export const shown = (text) => text.replace(UNSEEN, "\ufffd");

/** Three digits that mean something, two of a small figure; no exponent. @param {number} value @param {number} [digits] */
const significant = (value, digits = 3) =>
  value >= 100 ? COUNT.format(value) : String(Number(value.toPrecision(digits)));

/** @param {number} value */
export const count = (value) => COUNT.format(value);

/** "12.3/s", and "42/min" below one a second. @param {number} perSecond */
export const rate = (perSecond) => rateParts(perSecond).join("/");

/** Number and unit of a rate. @param {number} perSecond @returns {[string, string]} */
export function rateParts(perSecond) {
  if (perSecond > 0 && perSecond < 1) return [significant(perSecond * 60, 2), "min"];
  return [significant(perSecond), "s"];
}

/** A share of 1 as per cent: never "0 %" for something, never "100 %" for less than all. @param {number} share */
export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.01) return "<0.01 %";
  if (value < 100 && value >= 99.5) return ">99 %";
  return `${significant(value, 2)} %`;
}

/** A duration given in milliseconds. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return NONE;
  return ms >= 1000 ? `${significant(ms / 1000)} s` : `${significant(ms)} ms`;
}

/** @param {string} iso */
export function clock(iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? NONE
    : time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** "1 call", "2 calls". @param {number} number @param {string} noun */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
