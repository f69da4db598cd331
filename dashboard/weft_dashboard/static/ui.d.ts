/** What the page uses of the vendored libraries (preact, its hooks, htm, signals): `ui.js` as the type checker sees it. */

export interface VNode {
  type: unknown;
  props: Record<string, unknown>;
}

export interface ReadonlySignal<T> {
  readonly value: T;
  peek(): T;
}

export interface Signal<T> extends ReadonlySignal<T> {
  value: T;
}

export interface Ref<T> {
  current: T;
}

type Undo = void | (() => void);

export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function render(vnode: VNode, parent: Element): void;

export function signal<T>(value: T): Signal<T>;
export function computed<T>(make: () => T): ReadonlySignal<T>;
export function effect(run: () => Undo): () => void;
export function batch<T>(run: () => T): T;

export function useRef<T>(initial: T): Ref<T>;
export function useState<T>(initial: T | (() => T)): [T, (next: T) => void];
export function useEffect(run: () => Undo, inputs?: readonly unknown[]): void;
export function useLayoutEffect(run: () => Undo, inputs?: readonly unknown[]): void;
