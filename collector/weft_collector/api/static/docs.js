// The API's own document as a page: what each path takes and answers, and a button that asks the running collector.
// Everything is written as text nodes, and nothing is loaded but from this collector.

const METHODS = ["get", "post", "put", "patch", "delete"];
const SHOWN = 20_000;

/** An element with attributes and children. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A text as nodes: what stands between backticks is code. */
const prose = (text = "") =>
  text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : document.createTextNode(part)));

const resolve = (api, schema = {}) =>
  schema.$ref ? schema.$ref.slice(2).split("/").reduce((place, step) => place[step], api) : schema;

/** A value that fits a schema: its examples, else something of its type. */
function example(api, given) {
  const schema = resolve(api, given);
  if (schema.examples) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return example(api, choices[0]);
  if (schema.type === "array") return schema.items ? [example(api, schema.items)] : [];
  if (schema.type !== "object") return { string: "", integer: 0, number: 0, boolean: false }[schema.type] ?? null;
  const properties = Object.entries(schema.properties ?? {});
  return Object.fromEntries(properties.map(([name, property]) => [name, example(api, property)]));
}

const kind = (api, given) => {
  const schema = resolve(api, given);
  const choices = schema.anyOf?.map((choice) => resolve(api, choice).type).filter((type) => type !== "null");
  return choices?.join(" or ") ?? schema.type ?? "";
};

function parameterRow(api, parameter) {
  const input = el("input", { name: parameter.name, "aria-label": parameter.name, "data-in": parameter.in });
  const schema = resolve(api, parameter.schema);
  input.placeholder = schema.examples?.join(", ") ?? schema.default ?? "";
  if (parameter.in === "path") input.value = example(api, parameter.schema) ?? "";
  return el("tr", {}, el("td", {}, el("code", {}, parameter.name)), el("td", {}, kind(api, parameter.schema)),
    el("td", {}, ...prose(parameter.description)), el("td", {}, input));
}

function parameterTable(api, parameters) {
  if (!parameters.length) return null;
  const head = el("tr", {}, ...["Parameter", "Type", "Meaning", "Value"].map((text) => el("th", {}, text)));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...parameters.map((row) => parameterRow(api, row))));
}

function sample(api, content) {
  if (content.example) return el("pre", {}, content.example);
  const schema = resolve(api, content.schema);
  if (schema.format === "binary" || !Object.keys(schema).length) return null;
  return el("pre", {}, JSON.stringify(example(api, schema), null, 2));
}

function responseBlock(api, [code, response]) {
  const contents = Object.entries(response.content ?? {});
  const types = contents.map(([type]) => type).join(", ");
  const title = el("h3", {}, `${code} `, el("span", { class: "faint" }, types));
  return [title, el("div", {}, ...prose(response.description)), contents.length ? sample(api, contents[0][1]) : null];
}

/** The address that the filled-in form asks for. */
function address(path, form) {
  let filled = path.slice(1);
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("input")) {
    if (input.dataset.in === "path") filled = filled.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.dataset.in === "query" && input.value) query.set(input.name, input.value);
  }
  const url = new URL(filled, document.baseURI);
  url.search = query.toString();
  return url;
}

async function ask(url, output) {
  output.replaceChildren(el("p", {}, el("a", { href: url.href }, url.href)));
  try {
    const response = await fetch(url);
    const type = response.headers.get("content-type") ?? "";
    const text = type.includes("json") ? JSON.stringify(await response.json(), null, 2) : await response.text();
    output.append(el("p", {}, `${response.status} ${type}`), el("pre", {}, text.slice(0, SHOWN)));
  } catch (error) {
    output.append(el("p", {}, String(error)));
  }
}

function tryIt(path, form) {
  const output = el("div", { "aria-live": "polite" });
  const button = el("button", { type: "button" }, "Ask the collector");
  button.addEventListener("click", () => ask(address(path, form), output));
  return [button, output];
}

const streams = (operation) => "text/event-stream" in (operation.responses["200"]?.content ?? {});

function operationBlock(api, { path, method, operation }) {
  const form = el("div", {}, el("p", {}, ...prose(operation.description)));
  const table = parameterTable(api, operation.parameters ?? []);
  if (table) form.append(table);
  if (operation.requestBody) form.append(el("p", {}, `Body: ${operation.requestBody.description} `,
    el("code", {}, Object.keys(operation.requestBody.content).join(", "))));
  if (method === "get" && !streams(operation)) form.append(...tryIt(path, form));
  for (const response of Object.entries(operation.responses)) {
    form.append(...responseBlock(api, response).filter((part) => part !== null));
  }
  return el("details", { id: operation.operationId }, el("summary", {}, el("span", { class: "method" },
    method.toUpperCase()), el("span", { class: "path" }, path), el("span", { class: "faint" }, operation.summary)), form);
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ path, method, operation: methods[method] })));
}

function tagBlock(api, tag, operations) {
  const own = operations.filter(({ operation }) => operation.tags?.includes(tag.name));
  return own.length ? [el("h2", {}, tag.name), el("p", { class: "faint" }, tag.description),
    ...own.map((each) => operationBlock(api, each))] : [];
}

const api = await (await fetch(new URL("openapi.json", document.baseURI))).json();
const main = document.getElementById("operations");
document.getElementById("about").append(...prose(`${api.info.description} Version ${api.info.version}.`));
main.append(...api.tags.flatMap((tag) => tagBlock(api, tag, operationsOf(api))));
main.removeAttribute("aria-busy");
document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
