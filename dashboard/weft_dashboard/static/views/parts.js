// Small parts that several panels share: a node's sign, a link to a node or an edge, the panel's head.
import { GLYPHS } from "../graph/glyphs.js";
import { select } from "../state.js";
import { html } from "../ui.js";
import { show } from "./map.js";

/** @param {{ type: string }} props */
export const Sign = ({ type }) => html`
  <svg class="sign type-${type}" aria-hidden="true" viewBox="-9 -9 18 18"><path class="glyph" d=${GLYPHS[type] ?? GLYPHS.unknown} /></svg>
`;

/** @param {{ id: string, label?: string, class?: string, children?: unknown }} props */
export const GoTo = ({ id, label, class: classes = "", children }) => html`
  <button type="button" class="goto ${classes}" aria-label=${label} onClick=${() => show(id)}>${children}</button>
`;

export const Close = () => html`
  <button type="button" class="quiet close" aria-label="Clear the selection" title="Clear the selection (Esc)" onClick=${() => select("")}>
    <svg class="icon" aria-hidden="true" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8" /></svg>
  </button>
`;
