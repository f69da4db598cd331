// The bar at the top: window, live state, find, map or table, theme, help.
import { FIND_FIELD } from "../keys.js";
import { WINDOWS, chooseWindow, go, held, helpOpen, index, link, matches, place } from "../state.js";
import { theme, toggleTheme } from "../themes.js";
import { html } from "../ui.js";
import { show } from "./map.js";

/** @type {Record<string, string>} */
const LINK_WORDS = {
  connecting: "Connecting",
  live: "Live",
  polling: "Live (polling)",
  paused: "Paused",
  unreachable: "Offline",
};

/** @param {{ name: string, label: string, options: [string, string][], value: string, onPick: (value: string) => void }} props */
const Choice = ({ name, label, options, value, onPick }) => html`
  <fieldset class="choice">
    <legend class="unseen">${label}</legend>
    ${options.map(
      ([key, text]) => html`
        <label key=${key}>
          <input type="radio" name=${name} value=${key} checked=${key === value} onChange=${() => onPick(key)} />
          <span>${text}</span>
        </label>
      `,
    )}
  </fieldset>
`;

const LiveButton = () => html`
  <button type="button" class="live is-${link.value.state}" aria-pressed=${!held.value}
    title=${held.value ? "Follow the calls again" : "Hold the picture still"} onClick=${() => (held.value = !held.value)}>
    <span class="dot" aria-hidden="true"></span>${LINK_WORDS[link.value.state]}
  </button>
`;

/** Enter goes through the nodes found, one at a time. @param {KeyboardEvent} event */
function nextMatch(event) {
  const found = [...(matches.value ?? [])].sort();
  if (event.key !== "Enter" || found.length === 0) return;
  show(found[(found.indexOf(place.value.select) + 1) % found.length]);
}

const Find = () => html`
  <div class="find" role="search">
    <svg class="icon" aria-hidden="true" viewBox="0 0 16 16"><path d="M11 11l3.5 3.5M2 7a5 5 0 0 1 10 0a5 5 0 0 1-10 0" /></svg>
    <input id=${FIND_FIELD} type="search" placeholder="Find a service" aria-label="Find a service" autocomplete="off"
      spellcheck=${false} maxlength="200" value=${place.value.find}
      onInput=${(/** @type {InputEvent} */ event) => go({ find: /** @type {HTMLInputElement} */ (event.target).value })}
      onKeyDown=${nextMatch} />
    ${matches.value
      ? html`<output class="found">${matches.value.size} of ${index.value.nodes.size}</output>`
      : html`<kbd aria-hidden="true">/</kbd>`}
  </div>
`;

const ThemeButton = () => html`
  <button type="button" class="quiet" aria-label=${theme.value === "dark" ? "Light theme" : "Dark theme"}
    title=${theme.value === "dark" ? "Light theme" : "Dark theme"} onClick=${toggleTheme}>
    <svg class="icon" aria-hidden="true" viewBox="0 0 16 16">
      ${theme.value === "dark"
        ? html`<path d="M5 8a3 3 0 0 1 6 0a3 3 0 0 1-6 0M8 1v1.5M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1" />`
        : html`<path d="M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z" />`}
    </svg>
  </button>
`;

export const TopBar = () => html`
  <header class="topbar">
    <h1><img src="icon.svg" alt="" width="22" height="22" />Weft</h1>
    <${Choice} name="window" label="Window" value=${place.value.window} onPick=${chooseWindow}
      options=${WINDOWS.map((name) => [name, name])} />
    <${LiveButton} />
    <span class="space"></span>
    <${Find} />
    <${Choice} name="view" label="View" value=${place.value.view} onPick=${(/** @type {"map" | "table"} */ view) => go({ view })}
      options=${[["map", "Map"], ["table", "Table"]]} />
    <${ThemeButton} />
    <button type="button" class="quiet" aria-label="Help" title="Help (?)" onClick=${() => (helpOpen.value = true)}>?</button>
  </header>
`;
