/* Draws this server's OpenAPI document. Whatever comes from outside becomes text nodes, never markup. */

const METHODS = ["get", "put", "post", "patch", "delete", "head", "options", "trace"];
const SHOWN_CHARACTERS = 50_000; // of an answer; a whole programme would make the page crawl
const TIMEOUT_MS = 30_000;
const LIMITS = {
  enum: (values) => `one of ${values.map(literal).join(", ")}`,
  const: (value) => `always ${literal(value)}`,
  minimum: (value) => `at least ${value}`,
  maximum: (value) => `at most ${value}`,
  exclusiveMinimum: (value) => `more than ${value}`,
  exclusiveMaximum: (value) => `less than ${value}`,
  minLength: (value) => `at least ${value} characters`,
  maxLength: (value) => `at most ${value} characters`,
  pattern: (value) => `matches ${value}`,
  minItems: (value) => `at least ${value} items`,
  maxItems: (value) => `at most ${value} items`,
  default: (value) => value !== null && `default ${literal(value)}`,
  deprecated: (value) => value && "deprecated",
};
const token = { value: "" }; // lives here and in the fields only, and ends with the page
const texts = new Map(); // what the filter reads, by operation
let api = {};

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

const literal = (value) => JSON.stringify(value);
const paragraphs = (text) => (text ?? "").trim().split(/\n\s*\n/).filter(Boolean);
const line = (text) => el("p", {}, text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part)));
const prose = (text) => paragraphs(text).map(line);
const scrollable = (name, content) => el("pre", { tabindex: 0, role: "region", "aria-label": name, dir: "auto" }, content);

/* Schemas */

const nameOf = (ref) => ref.split("/").pop();

function resolve(node) {
  const passed = new Set();
  while (node?.$ref && !passed.has(node.$ref)) {
    passed.add(node.$ref);
    const { $ref, ...beside } = node;
    const steps = $ref.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    node = { ...steps.reduce((place, step) => place?.[step], api), ...beside };
  }
  return node ?? {};
}

const variantsOf = (node) => [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.allOf ?? [])];
const once = (items) => [...new Set(items)];

function typeName(node, above = []) {
  if (node?.$ref) {
    const target = resolve(node);
    if (target.properties || above.includes(node.$ref)) return nameOf(node.$ref);
    return typeName(target, [...above, node.$ref]);
  }
  const variants = variantsOf(node ?? {});
  if (variants.length) return once(variants.map((variant) => typeName(variant, above))).join(node.allOf ? " and " : " or ");
  return [node?.type ?? "anything"].flat().map((type) => oneType(type, node, above)).join(" or ");
}

function oneType(type, node, above) {
  if (type === "array") return `list of ${typeName(node.items, above)}`;
  if (type === "object" && node.additionalProperties) return `map of ${typeName(node.additionalProperties, above)}`;
  return type === "string" && node.format ? `string (${node.format})` : type;
}

function limitsOf(node, above = []) {
  if (typeof node !== "object" || above.includes(node.$ref)) return [];
  const whole = resolve(node);
  const inside = [...above, node.$ref ?? whole];
  const own = Object.entries(LIMITS).map(([key, words]) => key in whole && words(whole[key])).filter(Boolean);
  const items = limitsOf(whole.items, inside).map((limit) => `each ${limit}`);
  return once([...own, ...variantsOf(whole).flatMap((variant) => limitsOf(variant, inside)), ...items]);
}

/* The fields of every object that a schema leads to; `above` holds the references on the way, so that a circle ends. */
function nested(node, above, name = "") {
  if (typeof node !== "object" || node === null) return [];
  if (node.$ref) {
    if (above.includes(node.$ref)) return [el("p", { class: "note" }, `${nameOf(node.$ref)}: its fields stand above`)];
    return nested(resolve(node), [...above, node.$ref], nameOf(node.$ref));
  }
  const parts = [...variantsOf(node), node.items, node.additionalProperties];
  return [node.properties ? fieldsOf(node, above, name) : [], parts.map((part) => nested(part, above))].flat(2);
}

function fieldsOf(node, above, name) {
  const lines = Object.entries(node.properties).map(([key, schema]) =>
    fieldLine({ name: key, schema, required: node.required?.includes(key) }, above));
  return el("details", { open: above.length < 2 },
    el("summary", {}, el("code", {}, name || node.title || "object"), ` has ${lines.length} field${lines.length === 1 ? "" : "s"}`),
    prose(node.description),
    el("ul", { class: "fields" }, lines, node.additionalProperties === false && el("li", {}, "No other fields.")));
}

function fieldLine({ name, schema, required, place, description }, above = []) {
  const limits = limitsOf(schema);
  const whole = resolve(schema);
  return el("li", {},
    el("code", {}, name), ` ${typeName(schema)}${place ? ` in the ${place}` : ""}${required ? ", required" : ""}`,
    limits.length > 0 && el("p", { class: "note" }, limits.join(", ")),
    prose(description ?? (whole.properties ? "" : whole.description)), nested(schema, above));
}

function contentOf(content) {
  return Object.entries(content ?? {}).map(([type, { schema }]) => [
    el("p", {}, el("code", {}, type), schema && `: ${typeName(schema)}`), nested(schema, [])]);
}

function sample(node, above = []) {
  if (above.includes(node?.$ref)) return null;
  const whole = resolve(node);
  const inside = [...above, node?.$ref ?? whole];
  const given = whole.examples?.[0] ?? whole.default ?? whole.const ?? whole.enum?.[0];
  if (given !== undefined) return given;
  if (variantsOf(whole).length) return sample(variantsOf(whole)[0], inside);
  if (whole.properties) {
    const keys = whole.required?.length ? whole.required : Object.keys(whole.properties).slice(0, 1);
    return Object.fromEntries(keys.map((key) => [key, sample(whole.properties[key], inside)]));
  }
  const now = new Date().toISOString();
  const strings = { "date-time": `${now.slice(0, 19)}Z`, date: now.slice(0, 10), uuid: "00000000-0000-7000-8000-000000000000" };
  if (whole.type === "string") return strings[whole.format] ?? "text";
  if (whole.type === "object") return whole.additionalProperties?.type === "string" ? { en: "text" } : {}; // by language
  if (whole.type === "array") return [sample(whole.items, inside)];
  return whole.type === "boolean" ? false : whole.minimum ?? 1;
}

/* Requests */

const bodyType = (operation) => Object.keys(operation.body?.content ?? {})[0];
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function requestOf(operation, form) {
  const query = new URLSearchParams();
  const headers = bodyType(operation) ? { "Content-Type": bodyType(operation) } : {};
  let path = operation.path;
  for (const { name, in: place } of operation.parameters) {
    const value = form.elements[`${place} ${name}`]?.value ?? "";
    if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(value) || name.toUpperCase());
    else if (place === "query" && value) query.append(name, value);
    else if (place === "header" && value) headers[name] = value;
  }
  const url = location.origin + path + (String(query) && `?${query}`);
  return { url, method: operation.method.toUpperCase(), headers, body: form.elements.body?.value };
}

/* The token itself never shows: the shell is to fill it in. */
function curlOf(operation, form) {
  const { url, method, headers, body } = requestOf(operation, form);
  const parts = [method === "GET" ? "curl" : `curl --request ${method}`];
  if (operation.token) parts.push('--header "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) parts.push(`--header ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) parts.push(`--data ${quoted(body)}`);
  return [...parts, quoted(url)].join(parts.length > 1 ? " \\\n  " : " ");
}

async function send(operation, form, answer) {
  if (answer.getAttribute("aria-busy") === "true") return;
  answer.setAttribute("aria-busy", "true");
  const [status, content] = answer.children;
  const { url, ...options } = requestOf(operation, form);
  if (operation.token && token.value) options.headers.Authorization = `Bearer ${token.value}`;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...options, signal, cache: "no-store", credentials: "omit", redirect: "error" });
    const type = response.headers.get("content-type") ?? "";
    const text = /text|json|xml/.test(type) ? indented(await response.text()) : "";
    const cut = text.length > SHOWN_CHARACTERS ? `, of which the first ${SHOWN_CHARACTERS} characters:` : "";
    status.replaceChildren(el("strong", {}, `${response.status} ${response.statusText}`), ` ${type}${cut}`);
    content.replaceChildren(...(text ? [scrollable("Answer", el("code", {}, text.slice(0, SHOWN_CHARACTERS)))] : []));
  } catch (error) {
    status.textContent = `No answer: ${error.message}.`;
    content.replaceChildren();
  }
  answer.setAttribute("aria-busy", "false");
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a calendar, a table, or XML
  }
}

/* Fields with the same purpose share what is typed into one of them. */
function share(input) {
  for (const other of document.querySelectorAll(`[data-shared="${input.dataset.shared}"]`)) {
    if (other === input) continue;
    other.value = input.value;
    if (input.dataset.shared !== "token") other.form.dispatchEvent(new Event("input"));
  }
  if (input.dataset.shared === "token") token.value = input.value.trim();
}

function inputFor({ name, in: place, schema, required }) {
  const whole = resolve(schema);
  const choices = whole.enum ?? (whole.type === "boolean" ? [true, false] : undefined);
  const attributes = { name: `${place} ${name}`, required, autocomplete: "off", spellcheck: "false", dir: "auto" };
  if (place === "path" && name === "event") attributes["data-shared"] = "event";
  const options = choices && [...(required ? [] : [""]), ...choices].map((choice) => el("option", {}, String(choice)));
  const field = choices ? el("select", attributes, options) : el("input", { ...attributes, placeholder: whole.default ?? undefined });
  return el("label", {}, el("code", {}, name), required && " required", field);
}

function fieldsToFill(operation) {
  const type = bodyType(operation);
  const start = type?.includes("json") ? JSON.stringify(sample(operation.body.content[type].schema), null, 2) : "";
  return [
    operation.parameters.filter(({ in: place }) => place !== "cookie").map(inputFor),
    type && el("label", {}, "Body, ", el("code", {}, type), el("textarea", { name: "body", spellcheck: "false" }, start)),
    operation.token && el("label", {}, `Your ${operation.token}`,
      el("input", { type: "password", "data-shared": "token", autocomplete: "off", spellcheck: "false" })),
    !["get", "head"].includes(operation.method) && el("p", { class: "note" }, "This acts on this server's real data."),
    el("button", {}, "Send")];
}

function tryIt(operation) {
  const curl = el("code", {});
  const copied = el("span", { class: "note", role: "status" });
  const copy = el("button", { type: "button" }, "Copy");
  const form = el("form", {}, fieldsToFill(operation));
  const answer = el("div", { class: "answer" }, el("p", { role: "status" }), el("div", {}));
  const redraw = () => { curl.textContent = curlOf(operation, form); copied.textContent = ""; };
  form.addEventListener("input", ({ target }) => { if (target.dataset.shared) share(target); redraw(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(operation, form, answer); });
  copy.addEventListener("click", () => {
    getSelection().selectAllChildren(curl);
    // navigator.clipboard is missing where the page comes over plain HTTP, as it does on a venue's network.
    copied.textContent = document.execCommand("copy") ? " Copied." : " Selected: copy it with the keyboard.";
  });
  redraw();
  return [el("h4", {}, "With curl"), scrollable("curl command", curl), copy, copied, el("h4", {}, "Try it"), form, answer];
}

/* The page */

function operationsOf() {
  return Object.entries(api.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => {
    const { tags, description, summary, operationId, requestBody, parameters, responses, security } = item[method];
    return {
      method, path, tag: tags?.[0] ?? "other", words: paragraphs(description ?? summary), responses: responses ?? {},
      id: operationId ?? `${method}${path}`.replace(/\W+/g, "-"), body: requestBody && resolve(requestBody),
      parameters: [...(item.parameters ?? []), ...(parameters ?? [])].map(resolve), token: tokenOf(security ?? api.security),
    };
  }));
}

/* What to call the token an operation takes; empty where it takes none. */
function tokenOf(security = []) {
  const kinds = security.flatMap((scheme) => Object.values(scheme)).flat();
  return security.length ? `token of ${kinds.length ? `kind ${once(kinds).join(" or ")}` : "this event"}` : "";
}

function drawResponse([status, raw]) {
  const { description, content } = resolve(raw);
  return el("details", { open: status.startsWith("2") },
    el("summary", {}, el("code", {}, status === "default" ? "otherwise" : status), ` ${description}`), contentOf(content));
}

function drawOperation(operation) {
  const { method, path, id, tag, words, parameters, body, responses, token: needed } = operation;
  const names = parameters.map(({ name }) => name);
  const drawn = el("details", { class: "operation", id },
    el("summary", {}, el("h3", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), el("code", {}, path)),
      words.slice(0, 1).map(line), needed && el("p", { class: "note" }, `Needs a ${needed}`)),
    el("div", {}, words.slice(1).map(line), el("p", { class: "note" }, "Operation ", el("a", { href: `#${id}` }, id)),
      parameters.length > 0 && [el("h4", {}, "Parameters"),
        el("ul", { class: "fields" }, parameters.map((parameter) => fieldLine({ ...parameter, place: parameter.in })))],
      body && [el("h4", {}, body.required ? "Body" : "Body, optional"), contentOf(body.content)],
      el("h4", {}, "Answers"), Object.entries(responses).map(drawResponse), tryIt(operation)));
  texts.set(drawn, [method, path, id, tag, needed, ...words, ...names].join(" ").toLowerCase());
  return drawn;
}

function filter() {
  const wanted = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [drawn, text] of texts) drawn.hidden = !wanted.every((word) => text.includes(word));
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector(".operation:not([hidden])");
  const shown = [...texts.keys()].filter((drawn) => !drawn.hidden).length;
  document.getElementById("shown").textContent = `${shown} of ${texts.size} operations`;
}

function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (!texts.has(named)) return;
  if (named.hidden) { document.getElementById("filter").value = ""; filter(); }
  named.open = true;
  named.scrollIntoView();
}

async function draw(main) {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  api = await response.json();
  document.title = document.getElementById("title").textContent = `${api.info.title}: API ${api.info.version}`;
  document.getElementById("about").append(...prose(api.info.description));
  const byTag = new Map();
  for (const operation of operationsOf()) byTag.set(operation.tag, [...(byTag.get(operation.tag) ?? []), operation]);
  const groups = [...byTag].map(([tag, operations]) => el("section", { class: "group", "aria-labelledby": `tag-${tag}` },
    el("h2", { id: `tag-${tag}` }, tag.charAt(0).toUpperCase() + tag.slice(1)), operations.map(drawOperation)));
  document.getElementById("groups").prepend(...[...byTag.keys()].map((tag) => el("li", {}, el("a", { href: `#tag-${tag}` }, tag))));
  main.prepend(...groups);
  filter();
  openNamed();
}

const main = document.getElementById("operations");
document.getElementById("filter").addEventListener("input", filter);
addEventListener("hashchange", openNamed);
try {
  await draw(main);
} catch (error) {
  main.prepend(el("p", { role: "alert" }, `The API's document could not be drawn: ${error.message}.`));
}
main.setAttribute("aria-busy", "false");
