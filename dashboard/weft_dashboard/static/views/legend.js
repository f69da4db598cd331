// What the lines mean.
import { DEGRADED_FROM, FAILING_FROM } from "../graph/severity.js";
import { html } from "../ui.js";

/** @param {{ kind: string, text: string }} props */
const Line = ({ kind, text }) => html`
  <li>
    <svg class="sample" aria-hidden="true" viewBox="0 0 26 8"><g class="edge ${kind}"><path class="line" d="M1 4H25" /></g></svg>
    ${text}
  </li>
`;

const low = DEGRADED_FROM * 100;
const high = FAILING_FROM * 100;

export const Legend = () => html`
  <ul class="legend" aria-label="Legend">
    <${Line} kind="sev-healthy" text="under ${low} % errors" />
    <${Line} kind="sev-degraded" text="${low}–${high} %" />
    <${Line} kind="sev-failing" text="${high} % and more" />
    <${Line} kind="sev-healthy is-wide" text="wider: more calls" />
    <${Line} kind="sev-healthy is-back" text="against the order" />
    <${Line} kind="sev-healthy is-inferred" text="inferred" />
  </ul>
`;
