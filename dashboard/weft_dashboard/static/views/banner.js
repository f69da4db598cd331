// The collector cannot be reached: said once, with a countdown that only the eye follows.
import { retryNow } from "../live.js";
import { link } from "../state.js";
import { html, useEffect, useState } from "../ui.js";

function Countdown() {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((link.value.retryAt - now) / 1000));
  return html`<span aria-hidden="true">${seconds > 0 ? `Next attempt in ${seconds} s.` : "Trying…"}</span>`;
}

export function Banner() {
  if (link.value.state !== "unreachable") return null;
  return html`
    <div class="banner">
      <p role="alert"><strong>The collector cannot be reached.</strong> <span class="reason">${link.value.reason}</span></p>
      <${Countdown} />
      <button type="button" onClick=${retryNow}>Try now</button>
    </div>
  `;
}
