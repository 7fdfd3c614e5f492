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
  multipleOf: (value) => `a multiple of ${value}`,
  minLength: (value) => `at least ${value} characters`,
  maxLength: (value) => `at most ${value} characters`,
  pattern: (value) => `matches ${value}`,
  minItems: (value) => `at least ${value} items`,
  maxItems: (value) => `at most ${value} items`,
  uniqueItems: (value) => value && "no item twice",
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
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
const scrollable = (name, ...content) => el("pre", { tabindex: 0, role: "region", "aria-label": name, dir: "auto" }, ...content);

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

function typeName(node, above = []) {
  if (typeof node !== "object") return "anything";
  if (node.$ref) {
    const target = resolve(node);
    if (target.properties || above.includes(node.$ref)) return nameOf(node.$ref);
    return typeName(target, [...above, node.$ref]);
  }
  const variants = node.oneOf ?? node.anyOf ?? node.allOf;
  if (variants) return [...new Set(variants.map((variant) => typeName(variant, above)))].join(node.allOf ? " and " : " or ");
  return [node.type ?? "anything"].flat().map((type) => oneType(type, node, above)).join(" or ");
}

function oneType(type, node, above) {
  if (type === "array") return `list of ${typeName(node.items, above)}`;
  if (type === "object" && node.additionalProperties && !node.properties) return `map of ${typeName(node.additionalProperties, above)}`;
  return type === "string" && node.format ? `string (${node.format})` : type;
}

function limitsOf(node, above = []) {
  if (typeof node !== "object" || above.includes(node.$ref)) return [];
  const inside = node.$ref ? [...above, node.$ref] : above;
  const whole = resolve(node);
  const own = Object.keys(LIMITS).filter((key) => key in whole).map((key) => LIMITS[key](whole[key])).filter(Boolean);
  const variants = [...(whole.oneOf ?? []), ...(whole.anyOf ?? []), ...(whole.allOf ?? [])];
  const items = limitsOf(whole.items, inside).map((limit) => `each ${limit}`);
  return [...new Set([...own, ...variants.flatMap((variant) => limitsOf(variant, inside)), ...items])];
}

/* The fields of every object that a schema leads to; `above` holds the references on the way, so that a circle ends. */
function nested(node, above, name = "") {
  if (typeof node !== "object" || node === null) return [];
  if (node.$ref) {
    if (above.includes(node.$ref)) return [el("p", { class: "note" }, `${nameOf(node.$ref)}: its fields stand above`)];
    return nested(resolve(node), [...above, node.$ref], nameOf(node.$ref));
  }
  const parts = [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.allOf ?? []), node.items, node.additionalProperties];
  return [node.properties ? fieldsOf(node, above, name) : [], ...parts.map((part) => nested(part, above))].flat();
}

function fieldsOf(node, above, name) {
  const lines = Object.entries(node.properties).map(([key, schema]) =>
    fieldLine({ name: key, schema, required: node.required?.includes(key) }, above));
  if (node.additionalProperties === false) lines.push(el("li", { class: "note" }, "No other fields."));
  return el("details", { open: above.length < 2 },
    el("summary", {}, el("code", {}, name || node.title || "object"), ` has ${lines.length} field${lines.length === 1 ? "" : "s"}`),
    paragraphs(node.description).map((text) => el("p", {}, prose(text))), el("ul", { class: "fields" }, lines));
}

function fieldLine({ name, schema, required, place, description }, above = []) {
  const limits = limitsOf(schema);
  const whole = resolve(schema);
  const words = description ?? (whole.properties ? "" : whole.description);
  return el("li", {},
    el("code", {}, name), ` ${typeName(schema)}`, place && ` in the ${place}`, required && el("span", { class: "required" }, " required"),
    limits.length > 0 && el("p", { class: "note" }, limits.join(", ")),
    paragraphs(words).map((text) => el("p", {}, prose(text))), nested(schema, above));
}

function contentOf(content) {
  return Object.entries(content ?? {}).map(([type, { schema }]) => [
    el("p", {}, el("code", {}, type), schema && `: ${typeName(schema)}`), nested(schema, [])]);
}

function sample(node, above = []) {
  if (above.includes(node?.$ref)) return null;
  const inside = node?.$ref ? [...above, node.$ref] : above;
  const whole = resolve(node);
  const given = whole.examples?.[0] ?? whole.default ?? whole.const ?? whole.enum?.[0];
  if (given !== undefined) return given;
  const variant = (whole.oneOf ?? whole.anyOf ?? whole.allOf)?.[0];
  if (variant) return sample(variant, inside);
  if (whole.properties) {
    const keys = whole.required?.length ? whole.required : Object.keys(whole.properties).slice(0, 1);
    return Object.fromEntries(keys.map((key) => [key, sample(whole.properties[key], inside)]));
  }
  if (whole.type === "object") return whole.additionalProperties?.type === "string" ? { en: "text" } : {}; // a text by language
  if (whole.type === "array") return [sample(whole.items, inside)];
  const now = new Date().toISOString();
  const strings = { "date-time": `${now.slice(0, 19)}Z`, date: now.slice(0, 10), uuid: "00000000-0000-7000-8000-000000000000" };
  return { string: strings[whole.format] ?? "text", integer: whole.minimum ?? 1, number: whole.minimum ?? 1, boolean: false }[whole.type] ?? null;
}

/* Requests */

const bodyType = (operation) => Object.keys(operation.body?.content ?? {})[0];
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function requestOf(operation, form) {
  const query = new URLSearchParams();
  const headers = bodyType(operation) ? { "Content-Type": bodyType(operation) } : {};
  let path = operation.path;
  for (const { name, in: place } of operation.parameters) {
    const value = form.elements[`${place} ${name}`].value;
    if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(value) || name.toUpperCase());
    else if (place === "query" && value) query.append(name, value);
    else if (place === "header" && value) headers[name] = value;
  }
  const url = location.origin + path + (query.size ? `?${query}` : "");
  return { url, method: operation.method.toUpperCase(), headers, body: form.elements.body?.value };
}

/* The token itself never shows: the shell is to fill it in. */
function curlOf(operation, form) {
  const { url, method, headers, body } = requestOf(operation, form);
  const lines = ["curl" + (method === "GET" ? "" : ` --request ${method}`)];
  if (operation.roles) lines.push('--header "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) lines.push(`--header ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push(`--data ${quoted(body)}`);
  return [...lines, quoted(url)].join(" \\\n  ");
}

async function send(operation, form, answer) {
  if (answer.getAttribute("aria-busy") === "true") return;
  answer.setAttribute("aria-busy", "true");
  const { url, ...options } = requestOf(operation, form);
  if (operation.roles && token.value) options.headers.Authorization = `Bearer ${token.value}`;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...options, signal, cache: "no-store", credentials: "omit", redirect: "error" });
    await showAnswer(response, answer);
  } catch (error) {
    answer.replaceChildren(el("p", {}, `No answer: ${error.message}.`));
  }
  answer.setAttribute("aria-busy", "false");
}

async function showAnswer(response, answer) {
  const type = response.headers.get("content-type") ?? "";
  const text = await response.text();
  const readable = type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
  const cut = readable.length > SHOWN_CHARACTERS && `The first ${SHOWN_CHARACTERS.toLocaleString("en")} of ${readable.length.toLocaleString("en")} characters.`;
  answer.replaceChildren(
    el("p", {}, el("strong", {}, `${response.status} ${response.statusText}`), ` ${type}`), cut && el("p", { class: "note" }, cut),
    readable && scrollable("Answer", el("code", {}, /text|json|xml/.test(type) ? readable.slice(0, SHOWN_CHARACTERS) : "Not text: use curl.")));
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
  const field = choices ? el("select", attributes, !required && el("option", {}, ""), choices.map((choice) => el("option", {}, String(choice))))
    : el("input", { ...attributes, placeholder: whole.default ?? undefined, inputmode: whole.type === "integer" ? "numeric" : "text" });
  return el("label", {}, el("code", {}, name), required && " required", field);
}

function tryForm(operation) {
  const answer = el("div", { class: "answer", role: "status" });
  const curl = el("code", {});
  const copied = el("span", { class: "note", role: "status" });
  const copy = el("button", { type: "button" }, "Copy");
  const type = bodyType(operation);
  const start = type?.includes("json") ? JSON.stringify(sample(operation.body.content[type].schema), null, 2) : "";
  const form = el("form", {}, operation.parameters.filter(({ in: place }) => place !== "cookie").map(inputFor),
    type && el("label", {}, "Body, ", el("code", {}, type), el("textarea", { name: "body", spellcheck: "false", rows: 6 }, start)),
    operation.roles && el("label", {}, `Token ${operation.roles}`,
      el("input", { type: "password", "data-shared": "token", autocomplete: "off", spellcheck: "false" })),
    !["get", "head"].includes(operation.method) && el("p", { class: "note" }, "This acts on this server's real data."),
    el("button", {}, "Send"));
  const redraw = () => { curl.textContent = curlOf(operation, form); copied.textContent = ""; };
  form.addEventListener("input", (event) => { if (event.target.dataset.shared) share(event.target); redraw(); });
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
    const raw = item[method];
    const roles = (raw.security ?? api.security ?? []).flatMap((scheme) => Object.values(scheme)).flat();
    return {
      method, path, tag: raw.tags?.[0] ?? "other", responses: raw.responses ?? {}, words: paragraphs(raw.description ?? raw.summary),
      id: raw.operationId ?? `${method}${path}`.replace(/\W+/g, "-"), body: raw.requestBody && resolve(raw.requestBody),
      parameters: [...(item.parameters ?? []), ...(raw.parameters ?? [])].map(resolve),
      roles: (raw.security ?? api.security)?.length ? (roles.length ? `of: ${roles.join(" or ")}` : "of this event") : "",
    };
  }));
}

function drawOperation(operation) {
  const { method, path, id, words, parameters, body, responses, roles } = operation;
  const answers = Object.entries(responses).map(([status, raw]) => {
    const { description, content } = resolve(raw);
    return el("details", { open: /^2/.test(status) }, el("summary", {}, el("code", {}, status === "default" ? "otherwise" : status), ` ${description}`),
      contentOf(content));
  });
  const drawn = el("details", { class: "operation", id },
    el("summary", {}, el("h3", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), el("code", {}, path)),
      words[0] && el("p", {}, prose(words[0])), roles && el("p", { class: "note" }, `Needs a token ${roles}`)),
    el("div", {}, words.slice(1).map((text) => el("p", {}, prose(text))),
      el("p", { class: "note" }, "Operation ", el("a", { href: `#${id}` }, id)),
      parameters.length > 0 && [el("h4", {}, "Parameters"),
        el("ul", { class: "fields" }, parameters.map((parameter) => fieldLine({ ...parameter, place: parameter.in })))],
      body && [el("h4", {}, body.required ? "Body" : "Body, optional"), contentOf(body.content)],
      el("h4", {}, "Answers"), answers, tryForm(operation)));
  texts.set(drawn, [method, path, id, operation.tag, ...words, ...parameters.map(({ name }) => name)].join(" ").toLowerCase());
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
  document.getElementById("about").append(...paragraphs(api.info.description).map((text) => el("p", {}, prose(text))));
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
