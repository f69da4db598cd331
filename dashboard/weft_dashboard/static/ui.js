// The one door to the vendored libraries: everything else imports from here.
import { h, render } from "./vendor/preact.js";
import { useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-hooks.js";
import htm from "./vendor/htm.js";
import { batch, computed, effect, signal } from "./vendor/signals.js";

/** Tagged template to virtual nodes. Values are text or attributes, never markup: hostile names stay names. */
export const html = htm.bind(h);

export { batch, computed, effect, render, signal, useEffect, useLayoutEffect, useRef, useState };
