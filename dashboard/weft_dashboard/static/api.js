// The collector's API. Addresses are relative to the page, so that it works below any path of a proxy.

/** @import { Snapshot, Status } from "./types.d.ts" */

/** An answer that is not the one asked for. Its message can be shown. */
export class ApiError extends Error {}

/** @param {string} path @param {Record<string, string>} [query] */
const address = (path, query = {}) => {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  url.search = new URLSearchParams(query).toString();
  return url;
};

/** @param {Response} response */
async function complaint(response) {
  const body = await response.json().catch(() => ({}));
  const detail = body.detail ?? body.title ?? response.statusText;
  return `The collector answered ${response.status}: ${detail}`;
}

/** @param {URL} url @param {AbortSignal | null} [signal] @returns {Promise<any>} */
async function read(url, signal = null) {
  const response = await fetch(url, { signal, headers: { accept: "application/json" }, cache: "no-cache" });
  if (!response.ok) throw new ApiError(await complaint(response));
  return response.json();
}

/** @param {string} window @param {AbortSignal} signal @returns {Promise<Snapshot>} */
export async function readSnapshot(window, signal) {
  const [graph, layout] = await Promise.all([
    read(address("graph", { window }), signal),
    read(address("graph/layout", { window }), signal),
  ]);
  return { graph, layout };
}

/** @returns {Promise<Status>} */
export const readStatus = () => read(address("status"));

/** The address of the window's event stream. @param {string} window */
export const streamAddress = (window) => address("graph/live", { window });

/** Where an agent or an OpenTelemetry exporter sends to: this page's own place. */
export const pageAddress = () => new URL(".", document.baseURI).href.replace(/\/$/, "");
