// The map: the scene as SVG, one tab stop with a walk inside it, and the camera kept where it should be.
import { camera, fit, fitting, following, holds, isFar, jump, reveal, transform, viewport } from "../graph/camera.js";
import { attachGestures } from "../graph/gestures.js";
import { firstOf, step } from "../graph/walk.js";
import { focusShown, focusedId, hoveredId, index, place, scene, select } from "../state.js";
import { html, useEffect, useLayoutEffect, useRef } from "../ui.js";
import { Emphasised } from "./emphasised.js";
import { Legend } from "./legend.js";
import { EdgeLabel, MapEdge } from "./map_edge.js";
import { MapNode } from "./map_node.js";
import { ZoomButtons } from "./zoom_buttons.js";

/** @import { Scene } from "../types.d.ts" */

/** @param {EventTarget | null} target */
const idAt = (target) =>
  (target instanceof Element ? target.closest("[data-id]")?.getAttribute("data-id") : "") ?? "";

/** @param {SVGSVGElement | null} svg @param {string} id */
const focusItem = (svg, id) => {
  const item = svg?.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (item instanceof SVGElement) item.focus({ preventScroll: true });
};

/** @param {Scene} drawn */
const tabStop = (drawn) => {
  const known = [focusedId.value, place.value.select].find((id) => drawn.places.has(id) || index.value.edges.has(id));
  return known ?? firstOf(drawn);
};

/** @param {Scene} drawn @param {string} id */
const pointOf = (drawn, id) => drawn.places.get(id) ?? drawn.edges.find((edge) => edge.id === id)?.middle;

/** Measure the view, and fit the graph when it comes, grows out of sight, or the view changes. @param {SVGSVGElement} svg */
function keepInSight(svg) {
  const observer = new ResizeObserver(() => {
    viewport.value = { width: svg.clientWidth, height: svg.clientHeight };
  });
  observer.observe(svg);
  return () => observer.disconnect();
}

/** @param {Scene} drawn @param {{ current: unknown }} seen The view for which the camera was last set. */
function follow(drawn, seen) {
  const view = viewport.value;
  if (!following.value || view.width === 0 || drawn.nodes.length === 0) return;
  if (seen.current === view && holds(drawn.bounds, camera.peek(), view)) return;
  seen.current = view;
  jump(fitting(drawn.bounds, view));
}

/** @param {{ current: SVGSVGElement | null }} svg */
const handlers = (svg) => ({
  onClick: (/** @type {MouseEvent} */ event) => select(idAt(event.target)),
  onPointerOver: (/** @type {PointerEvent} */ event) => (hoveredId.value = idAt(event.target)),
  onPointerLeave: () => (hoveredId.value = ""),
  onFocusIn: (/** @type {FocusEvent} */ event) => {
    const item = event.target;
    focusedId.value = idAt(item);
    focusShown.value = item instanceof Element && item.matches(":focus-visible");
  },
  onFocusOut: () => (focusShown.value = false),
  onKeyDown: (/** @type {KeyboardEvent} */ event) => {
    const from = idAt(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || !from) return;
    const to = step(scene.value, index.value, from, event);
    if (to) walkTo(svg.current, to);
    if (event.key === "Enter" || event.key === " ") select(from);
    if (to || event.key === "Enter" || event.key === " " || event.key.startsWith("Arrow")) event.preventDefault();
  },
});

/** @param {SVGSVGElement | null} svg @param {string} id */
function walkTo(svg, id) {
  focusItem(svg, id);
  const point = pointOf(scene.value, id);
  if (point) reveal(point);
}

/** The item that has the focus now, before anything is drawn. @param {SVGSVGElement | null} svg */
const focusHolder = (svg) => (svg?.contains(document.activeElement) ? idAt(document.activeElement) : "");

/**
 * A live update may move an element in the document, which in older browsers takes the focus away: give it back.
 * @param {SVGSVGElement | null} svg @param {string} holder
 */
function keepFocus(svg, holder) {
  if (holder && document.activeElement === document.body) focusItem(svg, holder);
}

export function MapView() {
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const seen = useRef(null);
  const drawn = scene.value;
  const stop = tabStop(drawn);
  const holder = focusHolder(svg.current);
  useEffect(() => (svg.current ? attachGestures(svg.current) : undefined), []);
  useLayoutEffect(() => (svg.current ? keepInSight(svg.current) : undefined), []);
  useLayoutEffect(() => follow(drawn, seen), [drawn, viewport.value]);
  useLayoutEffect(() => keepFocus(svg.current, holder));
  return html`
    <div class="map">
      <svg ref=${svg} class="map-canvas ${isFar.value ? "is-far" : ""}" role="application" tabindex="-1"
        aria-label="Service map: ${drawn.nodes.length} nodes, ${drawn.edges.length} edges"
        aria-describedby="map-hint" ...${handlers(svg)}>
        <g transform=${transform}>
          <g>${drawn.edges.map((placed) => html`<${MapEdge} key=${placed.id} placed=${placed} isStop=${placed.id === stop} />`)}</g>
          <g>${drawn.nodes.map((placed) => html`<${MapNode} key=${placed.id} placed=${placed} isStop=${placed.id === stop} />`)}</g>
          <${EdgeLabel} />
          <${Emphasised} canvas=${svg} />
        </g>
      </svg>
      <p id="map-hint" class="unseen">Arrow keys move, Shift and arrows follow calls, Enter selects, question mark for help.</p>
      <${ZoomButtons} onFit=${() => fit(scene.value.bounds)} />
      <${Legend} />
    </div>
  `;
}

/** Bring what was chosen elsewhere (a list, the find field) into sight. @param {string} id */
export function show(id) {
  select(id);
  const point = pointOf(scene.value, id);
  if (point && viewport.value.width > 0) reveal(point);
}
