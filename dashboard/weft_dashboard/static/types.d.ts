/** The JSON of the collector's API, and the values the page makes of it. */

import type { ReadonlySignal, Signal } from "./ui.js";

export type { ReadonlySignal, Signal };

export type NodeType = "service" | "database" | "channel" | "external" | "client" | "unknown";

export interface Latency {
  samples: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
  max_ms: number;
}

/** How the calls are known. The four counts sum to the edge's calls. */
export interface Completeness {
  both: number;
  client_only: number;
  server_only: number;
  inferred: number;
}

export interface GraphNode {
  id: string;
  type: NodeType;
  name: string;
  namespace: string;
  environment: string;
  system: string;
  calls: number;
  errors: number;
  rate: number;
  error_rate: number;
  outbound_calls: number;
  outbound_errors: number;
  client: Latency | null;
  server: Latency | null;
  outcomes: Record<string, number>;
}

export interface GraphEdge {
  id: string;
  caller: string;
  callee: string;
  calls: number;
  errors: number;
  rate: number;
  error_rate: number;
  client: Latency | null;
  server: Latency | null;
  outcomes: Record<string, number>;
  completeness: Completeness;
}

export interface Graph {
  window: { start: string; end: string; seconds: number };
  version: number;
  nodes: GraphNode[];
  edges: GraphEdge[];
  totals: { calls: number; errors: number; rate: number };
  pending: number;
  repairs_pending: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Positions made by the collector: box centres and the waypoints of each edge, in pixels. */
export interface Layout {
  nodes: Record<string, Point>;
  edges: Record<string, [number, number][]>;
  width: number;
  height: number;
  box: { width: number; height: number };
}

export interface Snapshot {
  graph: Graph;
  layout: Layout;
}

export interface Status {
  spans_received: number;
  version: string;
  endpoint?: string;
}

/** The graph with its look-ups. */
export interface GraphIndex {
  nodes: Map<string, GraphNode>;
  edges: Map<string, GraphEdge>;
  inbound: Map<string, GraphEdge[]>;
  outbound: Map<string, GraphEdge[]>;
}

export interface Box extends Point {
  width: number;
  height: number;
}

export interface PlacedNode extends Point {
  id: string;
  node: GraphNode;
}

/** Where an edge's curve runs, ready to be drawn. */
export interface Curve {
  line: string;
  head: string;
  middle: Point;
}

export interface PlacedEdge extends Curve {
  id: string;
  edge: GraphEdge;
  back: boolean;
}

export interface Scene {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  places: Map<string, PlacedNode>;
  box: { width: number; height: number };
  bounds: { left: number; top: number; right: number; bottom: number };
}

/** Screen = world * k + (x, y). */
export interface Camera extends Point {
  k: number;
}

export type Severity = "healthy" | "degraded" | "failing";

export type LinkState = "connecting" | "live" | "polling" | "paused" | "unreachable";

export interface Link {
  state: LinkState;
  /** Why the collector cannot be reached; empty otherwise. */
  reason: string;
  /** Milliseconds since the epoch of the next attempt; 0 when none is planned. */
  retryAt: number;
}

/** What is emphasised, with its neighbours. */
export interface Emphasis {
  id: string;
  nodes: Set<string>;
  edges: Set<string>;
}

/** What the address of the page holds. */
export interface Place {
  window: string;
  select: string;
  find: string;
  view: "map" | "table";
  sort: string;
}
