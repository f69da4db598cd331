// The keys, in a dialog of the browser's own: it keeps the focus inside and closes on Escape.
import { KEY_HELP } from "../keys.js";
import { helpOpen } from "../state.js";
import { html, useLayoutEffect, useRef } from "../ui.js";

const Keys = () => html`
  <dl>${KEY_HELP.map(([key, meaning]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${meaning}</dd></div>`)}</dl>
`;

export function Help() {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    if (helpOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helpOpen.value]);
  return html`
    <dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${() => (helpOpen.value = false)}>
      <h2 id="help-title">Keys</h2>
      <${Keys} />
      <footer><button type="button" onClick=${() => (helpOpen.value = false)}>Close</button></footer>
    </dialog>
  `;
}
