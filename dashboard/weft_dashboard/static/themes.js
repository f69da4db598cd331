// Light or dark: the system's choice until the user makes another, which is remembered.
import { signal } from "./ui.js";

const KEY = "weft-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const current = () => document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");

export const theme = signal(current());
system.addEventListener("change", () => (theme.value = current()));

export function toggleTheme() {
  const next = theme.value === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // storage is forbidden: the choice holds until the page is closed
  }
}
