// The curve of an edge: horizontal where it leaves and enters a box and where it passes a waypoint, cubic between.

/** @import { Box, Curve, Point } from "../types.d.ts" */

const HEAD = 10;
const LOOP = 34;

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/** @param {Point} point */
const text = (point) => `${round(point.x)},${round(point.y)}`;

/** Triangle with its tip at `tip`, pointing along x by `sign`, or down when it is 0. @param {Point} tip @param {number} sign */
function headAt(tip, sign) {
  const half = HEAD / 2;
  if (sign === 0) return `M${text(tip)}l${-half},${-HEAD}h${HEAD}z`;
  return `M${text(tip)}l${-sign * HEAD},${-half}v${HEAD}z`;
}

/** @param {Point} from @param {Point} to */
function between(from, to) {
  const bend = (to.x - from.x) / 2;
  return `C${text({ x: from.x + bend, y: from.y })} ${text({ x: to.x - bend, y: to.y })} ${text(to)}`;
}

/**
 * The stretch on which an edge passes a waypoint: flat for a box's width, clear of the boxes above and below.
 * @param {Point} point @param {number} reach
 */
const passing = (point, reach) => [
  { x: point.x - reach, y: point.y },
  { x: point.x + reach, y: point.y },
];

/**
 * A call to itself, out at the right and in at the top; the collector gives the curve's two inner points.
 * @param {Box} box @param {Point[]} inner @returns {Curve}
 */
export function loop(box, inner) {
  const right = box.x + box.width / 2;
  const top = box.y - box.height / 2;
  const [out, over] = inner.length === 2 ? inner : [{ x: right + LOOP, y: box.y - 12 }, { x: right - 26, y: top - 26 }];
  const tip = { x: over.x, y: top };
  const end = text({ x: tip.x, y: top - HEAD });
  return {
    line: `M${text({ x: right, y: out.y })}C${text(out)} ${text(over)} ${end}`,
    head: headAt(tip, 0),
    middle: { x: right + LOOP / 2, y: top - 8 },
  };
}

/** Between two boxes of one column: out at the right and back in at the right. @param {Point} from @param {Point} to @returns {Curve} */
export function bow(from, to) {
  const bulge = LOOP + Math.abs(to.y - from.y) / 6;
  const end = { x: to.x + HEAD, y: to.y };
  const far = Math.max(from.x, to.x) + bulge;
  return {
    line: `M${text(from)}C${text({ x: far, y: from.y })} ${text({ x: far, y: to.y })} ${text(end)}`,
    head: headAt(to, -1),
    middle: { x: far - bulge / 4, y: (from.y + to.y) / 2 },
  };
}

/**
 * From side to side through the waypoints.
 * @param {Point} from @param {Point} to Ends on the boxes' sides.
 * @param {Point[]} waypoints In the order of the call.
 * @param {number} reach Half a box's width.
 * @returns {Curve}
 */
export function route(from, to, waypoints, reach) {
  const sign = to.x >= from.x ? 1 : -1;
  const end = { x: to.x - sign * HEAD, y: to.y };
  const stops = [from, ...waypoints.flatMap((point) => passing(point, sign * reach)), end];
  let line = `M${text(from)}`;
  for (let at = 1; at < stops.length; at += 1) {
    line += at % 2 === 0 ? `L${text(stops[at])}` : between(stops[at - 1], stops[at]);
  }
  const half = Math.floor((stops.length - 1) / 2);
  const [a, b] = [stops[half], stops[half + 1]];
  return { line, head: headAt(to, sign), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
}
