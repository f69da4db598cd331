// Brightening what the pointer or the focus is on. It changes with every move of the pointer, so the few elements
// concerned are marked by hand, in an attribute of its own; drawing everything anew would make hovering slow.
import { emphasis, scene } from "../state.js";
import { useLayoutEffect } from "../ui.js";

/** @import { Emphasis } from "../types.d.ts" */

/** @param {SVGSVGElement} canvas @param {Emphasis} emphasised */
function light(canvas, emphasised) {
  canvas.dataset.emphasis = "";
  for (const id of [...emphasised.nodes, ...emphasised.edges]) {
    canvas.querySelector(`[data-id="${CSS.escape(id)}"]`)?.setAttribute("data-lit", "");
  }
}

/** @param {SVGSVGElement} canvas */
function unlight(canvas) {
  delete canvas.dataset.emphasis;
  for (const item of canvas.querySelectorAll("[data-lit]")) item.removeAttribute("data-lit");
}

/** @param {{ canvas: { current: SVGSVGElement | null } }} props */
export function Emphasised({ canvas }) {
  const [emphasised, drawn] = [emphasis.value, scene.value];
  useLayoutEffect(() => {
    const svg = canvas.current;
    if (!svg || !emphasised) return undefined;
    light(svg, emphasised);
    return () => unlight(svg);
  }, [emphasised, drawn]);
  return null;
}
