// One sign for each type of node, drawn in a field of 16 by 16 around its middle.

/** @type {Record<string, string>} */
export const GLYPHS = {
  service: "M0-7 6-3.5V3.5L0 7-6 3.5V-3.5zM0 0V7M0 0 6-3.5M0 0-6-3.5",
  database: "M-6-4.5a6 2.5 0 0 1 12 0a6 2.5 0 0 1-12 0V4.5a6 2.5 0 0 0 12 0V-4.5M-6 0a6 2.5 0 0 0 12 0",
  channel: "M-7-4H7V4H-7zM-3-4V4M1-4V4M5-4V4",
  external: "M-7 0a7 7 0 0 1 14 0a7 7 0 0 1-14 0H7M0-7a4.5 7 0 0 1 0 14a4.5 7 0 0 1 0-14",
  client: "M-2.8-4a2.8 2.8 0 0 1 5.6 0a2.8 2.8 0 0 1-5.6 0M-6 7a6 5.6 0 0 1 12 0z",
  unknown: "M-2.8-3.4a2.9 2.9 0 1 1 4.3 2.6Q0 0 0 2M0 5.4v.6",
};
