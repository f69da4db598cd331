// Nothing to draw yet: what to paste, with this collector's address, and a count that moves when the first span is in.
import { count, plural } from "../format.js";
import { pageAddress } from "../api.js";
import { WINDOWS, chooseWindow, place, status } from "../state.js";
import { html, useRef, useState } from "../ui.js";

/** @param {string} address */
const STEPS = (address) => [
  {
    title: "A Python service, without changing its code",
    lines: ["pip install weft", `weft run --service NAME --collector ${address} -- uvicorn app:app`],
  },
  { title: "Or in the code", lines: [`weft.init(service="NAME", collector="${address}")`] },
  { title: "Any OpenTelemetry SDK, in any language", lines: [`OTEL_EXPORTER_OTLP_ENDPOINT=${address}`] },
];

/** @param {HTMLElement | null} code */
function mark(code) {
  if (code) getSelection()?.selectAllChildren(code);
}

/** @param {{ line: string }} props */
function Paste({ line }) {
  const code = useRef(/** @type {HTMLElement | null} */ (null));
  const [said, say] = useState("Copy");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      say("Copied");
    } catch {
      mark(code.current); // no clipboard off a secure origin: the text is marked, one key copies it
      say("Press Ctrl+C");
    }
  };
  return html`
    <div class="paste">
      <pre><code ref=${code}>${line}</code></pre>
      <button type="button" aria-label="Copy: ${line}" onClick=${copy} onBlur=${() => say("Copy")}><span aria-live="polite">${said}</span></button>
    </div>
  `;
}

const Waiting = () => html`
  <p class="waiting" role="status">
    <span class="dot" aria-hidden="true"></span>Waiting for the first span… ${count(status.value?.spans_received ?? 0)} received
  </p>
`;

/** @param {{ name: string }} props */
const Longer = ({ name }) => html`<button type="button" onClick=${() => chooseWindow(name)}>${name}</button>`;

const Quiet = () => {
  const longer = WINDOWS.slice(WINDOWS.indexOf(place.value.window) + 1);
  return html`
    <p class="waiting">No calls in this window; ${plural(status.value?.spans_received ?? 0, "span")} received so far.</p>
    ${longer.length > 0
      ? html`<p class="longer">Look at the last ${longer.map((name) => html`<${Longer} key=${name} name=${name} />`)}</p>`
      : null}
  `;
};

export function Empty() {
  const address = status.value?.endpoint || pageAddress();
  const quiet = (status.value?.spans_received ?? 0) > 0;
  return html`
    <div class="empty">
      <div class="empty-card">
        <h2>${quiet ? "Nothing in this window" : "No calls yet"}</h2>
        <${quiet ? Quiet : Waiting} />
        <ol>
          ${STEPS(address).map(
            (step) => html`<li><h3>${step.title}</h3>${step.lines.map((line) => html`<${Paste} key=${line} line=${line} />`)}</li>`,
          )}
        </ol>
      </div>
    </div>
  `;
}
