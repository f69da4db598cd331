// Three steps of error share: by colour, and by words wherever a figure stands beside it.

/** @import { GraphEdge, Severity } from "../types.d.ts" */

// The same steps as in the collector's pictures (SVG, PNG, PDF).
export const DEGRADED_FROM = 0.005;
export const FAILING_FROM = 0.03;

const THICKEST = 8;

/** @param {number} errorRate Share of 1. @returns {Severity} */
export function severity(errorRate) {
  if (errorRate >= FAILING_FROM) return "failing";
  return errorRate >= DEGRADED_FROM ? "degraded" : "healthy";
}

const ORDER = { healthy: 0, degraded: 1, failing: 2 };

/** The worst are drawn last, on top; within a step the order is fixed. @param {GraphEdge} a @param {GraphEdge} b */
export const worstLast = (a, b) =>
  ORDER[severity(a.error_rate)] - ORDER[severity(b.error_rate)] || (a.id < b.id ? -1 : 1);

/** Width of an edge in pixels from its calls per second. @param {number} rate */
export const widthOf = (rate) => Math.min(THICKEST, Math.round((1.6 + 1.8 * Math.log10(1 + rate)) * 100) / 100);

/** Nothing but inference says that the calls took place. @param {GraphEdge} edge */
export const isInferred = (edge) => edge.calls > 0 && edge.completeness.inferred === edge.calls;
