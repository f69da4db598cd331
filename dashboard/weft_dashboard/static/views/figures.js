// Figures as the panel shows them: the large ones, both sides' latency, a bar of how the calls are known.
import { count, duration, percent, plural, rate } from "../format.js";
import { severity } from "../graph/severity.js";
import { html } from "../ui.js";
import { completenessRows, completenessSentence } from "../words.js";

/** @import { Completeness, Latency } from "../types.d.ts" */

/** @param {{ label: string, value: string, tone?: string }} props */
const Figure = ({ label, value, tone = "" }) => html`<div class="figure ${tone}"><dt>${label}</dt><dd>${value}</dd></div>`;

/** @param {{ of: { calls: number, errors: number, rate: number, error_rate: number } }} props */
export const Traffic = ({ of }) => html`
  <dl class="figures">
    <${Figure} label="Calls" value=${count(of.calls)} />
    <${Figure} label="Rate" value=${rate(of.rate)} />
    <${Figure} label=${plural(of.errors, "error")} value=${percent(of.error_rate)} tone="sev-${severity(of.error_rate)}" />
  </dl>
`;

/** @param {{ label: string, latency: Latency | null }} props */
const Side = ({ label, latency }) => html`
  <tr>
    <th scope="row"><span class="unseen">measured </span>${label}</th>
    ${latency
      ? [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms].map((ms) => html`<td>${duration(ms)}</td>`)
      : html`<td colspan="4" class="none">not measured</td>`}
  </tr>
`;

/** Each side by its own clock; a side that was never seen is absent, not 0. @param {{ client: Latency | null, server: Latency | null }} props */
export const Sides = ({ client, server }) => html`
  <table class="sides">
    <caption>Latency</caption>
    <thead>
      <tr><td class="corner">Measured</td><th scope="col">p50</th><th scope="col">p95</th><th scope="col">p99</th><th scope="col">max</th></tr>
    </thead>
    <tbody>
      <${Side} label="by the caller" latency=${client} />
      <${Side} label="by the callee" latency=${server} />
    </tbody>
  </table>
`;

/** @param {{ known: Completeness, calls: number }} props */
export function Known({ known, calls }) {
  let at = 0;
  const parts = completenessRows(known).map((row) => {
    const part = { key: row.key, x: at, width: (row.number / Math.max(1, calls)) * 100 };
    at += part.width;
    return part;
  });
  return html`
    <section class="known">
      <h3>How the calls are known</h3>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        ${parts.map((part) => html`<rect class="known-${part.key}" x=${part.x} width=${part.width} height="6" />`)}
      </svg>
      <p>${completenessSentence(known, calls)}</p>
    </section>
  `;
}
