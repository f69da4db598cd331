// What part of the map is seen. The camera moves; the positions never do.
import { computed, signal } from "../ui.js";

/** @import { Camera, Point, Scene, Signal } from "../types.d.ts" */

const CLOSEST = 3;
const FARTHEST = 0.05;
const FIT_AT_MOST = 1.25;
const AIR = 32;
const LEGEND = 36;
const GLIDE_MS = 180;

/** @type {Signal<Camera>} */
export const camera = signal({ x: 0, y: 0, k: 1 });

export const viewport = signal({ width: 0, height: 0 });

/** The user has not moved the camera: it may follow a graph that grows out of sight. */
export const following = signal(true);

export const transform = computed(() => {
  const { x, y, k } = camera.value;
  return `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${k.toFixed(4)})`;
});

/** Far out, names and arrow heads are noise. */
export const isFar = computed(() => camera.value.k < 0.5);

/** @param {number} k */
const bounded = (k) => Math.min(CLOSEST, Math.max(FARTHEST, k));

/**
 * The same point of the map stays under (px, py).
 * @param {Camera} from @param {number} factor @param {number} px @param {number} py @returns {Camera}
 */
export function zoomed(from, factor, px, py) {
  const k = bounded(from.k * factor);
  const grown = k / from.k;
  return { k, x: px - (px - from.x) * grown, y: py - (py - from.y) * grown };
}

/** The camera that shows all of the bounds. @param {Scene["bounds"]} bounds @param {{ width: number, height: number }} view @returns {Camera} */
export function fitting(bounds, view) {
  const width = Math.max(1, bounds.right - bounds.left);
  const height = Math.max(1, bounds.bottom - bounds.top);
  const wanted = Math.min((view.width - 2 * AIR) / width, (view.height - LEGEND - 2 * AIR) / height);
  const k = bounded(Math.min(FIT_AT_MOST, wanted));
  return {
    k,
    x: (view.width - width * k) / 2 - bounds.left * k,
    y: (view.height - LEGEND - height * k) / 2 - bounds.top * k,
  };
}

/** @param {Scene["bounds"]} bounds @param {Camera} at @param {{ width: number, height: number }} view */
export const holds = (bounds, at, view) =>
  bounds.left * at.k + at.x >= 0 &&
  bounds.top * at.k + at.y >= 0 &&
  bounds.right * at.k + at.x <= view.width &&
  bounds.bottom * at.k + at.y <= view.height;

let flight = 0;

/** Set the camera at once. @param {Camera} to */
export function jump(to) {
  cancelAnimationFrame(flight);
  camera.value = to;
}

/** Move there in a moment; at once where motion is not wanted. @param {Camera} to */
export function glide(to) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return jump(to);
  cancelAnimationFrame(flight);
  const from = camera.value;
  const start = performance.now();
  /** @param {number} now */
  const step = (now) => {
    const part = Math.min(1, Math.max(0, now - start) / GLIDE_MS);
    const eased = 1 - (1 - part) ** 3;
    camera.value = {
      x: from.x + (to.x - from.x) * eased,
      y: from.y + (to.y - from.y) * eased,
      k: from.k + (to.k - from.k) * eased,
    };
    if (part < 1) flight = requestAnimationFrame(step);
  };
  flight = requestAnimationFrame(step);
}

/** Zoom by hand around the middle of the view. @param {number} factor */
export function zoomBy(factor) {
  following.value = false;
  const { width, height } = viewport.value;
  glide(zoomed(camera.value, factor, width / 2, height / 2));
}

/** Show everything, and follow again. @param {Scene["bounds"]} bounds */
export function fit(bounds) {
  following.value = true;
  glide(fitting(bounds, viewport.value));
}

/** The least move that brings a point into sight. @param {Point} point */
export function reveal(point) {
  const { x, y, k } = camera.value;
  const { width, height } = viewport.value;
  const margin = Math.min(110, width / 4, height / 4);
  const sx = point.x * k + x;
  const sy = point.y * k + y;
  const dx = Math.min(width - margin, Math.max(margin, sx)) - sx;
  const dy = Math.min(height - margin, Math.max(margin, sy)) - sy;
  if (dx !== 0 || dy !== 0) glide({ k, x: x + dx, y: y + dy });
}
