// Zooming without a wheel or keys.
import { zoomBy } from "../graph/camera.js";
import { html } from "../ui.js";

/** @param {{ onFit: () => void }} props */
export const ZoomButtons = ({ onFit }) => html`
  <div class="zoom" role="group" aria-label="Zoom">
    <button type="button" aria-label="Closer" title="Closer (+)" onClick=${() => zoomBy(1.3)}>
      <svg class="icon" aria-hidden="true" viewBox="0 0 16 16"><path d="M8 3v10M3 8h10" /></svg>
    </button>
    <button type="button" aria-label="Farther" title="Farther (−)" onClick=${() => zoomBy(1 / 1.3)}>
      <svg class="icon" aria-hidden="true" viewBox="0 0 16 16"><path d="M3 8h10" /></svg>
    </button>
    <button type="button" aria-label="Show everything" title="Show everything (0)" onClick=${onFit}>
      <svg class="icon" aria-hidden="true" viewBox="0 0 16 16"><path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" /></svg>
    </button>
  </div>
`;
