// The collector's own figures: every two seconds while the page waits for the first calls, later now and then.
import { readStatus } from "./api.js";
import { isEmpty, status } from "./state.js";
import { effect } from "./ui.js";

const WAITING_MS = 2_000;
const RUNNING_MS = 15_000;

async function read() {
  if (document.hidden) return;
  try {
    status.value = await readStatus();
  } catch {
    // the banner tells that the collector is away; the last figures stay
  }
}

export function watchStatus() {
  effect(() => {
    const timer = setInterval(read, isEmpty.value ? WAITING_MS : RUNNING_MS);
    read();
    return () => clearInterval(timer);
  });
}
