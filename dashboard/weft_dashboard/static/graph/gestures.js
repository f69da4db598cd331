// Pointer and wheel on the map: drag to pan, two fingers or the wheel to zoom. A drag is never a click.
import { camera, following, jump, zoomed } from "./camera.js";

/** @import { Point } from "../types.d.ts" */

const DRAG_FROM = 4;
const LINE_HEIGHT = 16;

/** @param {WheelEvent} event */
function wheelFactor(event) {
  const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE_HEIGHT;
  return Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016));
}

/** Middle and spread of the pointers on the map. @param {Point[]} points */
function grip(points) {
  const [a, b = a] = points;
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) };
}

class Gestures {
  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    this.svg = svg;
    /** @type {Map<number, Point>} */
    this.pointers = new Map();
    this.start = { x: 0, y: 0 };
    this.dragging = false;
  }

  /** @param {MouseEvent} event @returns {Point} */
  local(event) {
    const frame = this.svg.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0) return;
    if (this.pointers.size === 0) this.dragging = false;
    this.start = this.local(event);
    this.pointers.set(event.pointerId, this.start);
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const at = this.local(event);
    if (!this.dragging && Math.hypot(at.x - this.start.x, at.y - this.start.y) < DRAG_FROM) return;
    if (!this.dragging) this.startDrag(event.pointerId);
    const before = grip([...this.pointers.values()]);
    this.pointers.set(event.pointerId, at);
    const after = grip([...this.pointers.values()]);
    const factor = before.spread > 0 ? after.spread / before.spread : 1;
    const turned = zoomed(camera.value, factor, before.x, before.y);
    jump({ ...turned, x: turned.x + after.x - before.x, y: turned.y + after.y - before.y });
  }

  /** @param {number} pointerId */
  startDrag(pointerId) {
    this.dragging = true;
    following.value = false;
    this.svg.setPointerCapture(pointerId);
    this.svg.classList.add("is-dragging");
  }

  /** @param {PointerEvent} event */
  up(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size === 0) this.svg.classList.remove("is-dragging");
  }

  /** @param {MouseEvent} event */
  click(event) {
    if (this.dragging) event.stopImmediatePropagation();
    this.dragging = false;
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    following.value = false;
    const at = this.local(event);
    jump(zoomed(camera.value, wheelFactor(event), at.x, at.y));
  }
}

/** Listen on the map. @param {SVGSVGElement} svg @returns {() => void} Stops listening. */
export function attachGestures(svg) {
  const gestures = new Gestures(svg);
  const stop = new AbortController();
  const { signal } = stop;
  svg.addEventListener("pointerdown", (event) => gestures.down(event), { signal });
  svg.addEventListener("pointermove", (event) => gestures.move(event), { signal });
  svg.addEventListener("pointerup", (event) => gestures.up(event), { signal });
  svg.addEventListener("pointercancel", (event) => gestures.up(event), { signal });
  svg.addEventListener("click", (event) => gestures.click(event), { signal, capture: true });
  svg.addEventListener("wheel", (event) => gestures.wheel(event), { signal, passive: false });
  return () => stop.abort();
}
