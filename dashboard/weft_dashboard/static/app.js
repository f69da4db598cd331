// The page: its parts put together, and what runs beside them started.
import { bindAddress } from "./address.js";
import { bindKeys } from "./keys.js";
import { startLive } from "./live.js";
import { announcement, isEmpty, place, snapshot } from "./state.js";
import { watchStatus } from "./status_watch.js";
import { html, render } from "./ui.js";
import { Banner } from "./views/banner.js";
import { Empty } from "./views/empty.js";
import { Help } from "./views/help.js";
import { MapView } from "./views/map.js";
import { Panel } from "./views/panel.js";
import { TableView } from "./views/table.js";
import { TopBar } from "./views/topbar.js";

function Content() {
  if (!snapshot.value) return html`<main class="content is-blank"><p>Asking the collector…</p></main>`;
  if (isEmpty.value) return html`<main class="content is-blank"><${Empty} /></main>`;
  const View = place.value.view === "table" ? TableView : MapView;
  return html`<main class="content"><${View} /><${Panel} /></main>`;
}

const App = () => html`
  <${TopBar} />
  <${Banner} />
  <${Content} />
  <${Help} />
  <p class="unseen" aria-live="polite">${announcement.value}</p>
`;

const root = document.getElementById("app");
if (!root) throw new Error("index.html lacks #app");
bindAddress();
bindKeys();
startLive();
watchStatus();
render(html`<${App} />`, root);
