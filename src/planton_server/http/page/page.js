"use strict";
// Shows /openapi.json. Text goes into the page as text, never as markup.

let api;

// el("p.soft", "text", child, …): an element with classes, and what is in it.
function el(kind, ...content) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  made.classList.add(...classes);
  made.append(...content.filter((part) => part !== "" && part != null));
  return made;
}

// A comment of the protos: words in backticks are code.
const prose = (text, kind = "p") => el(kind, ...(text || "").split(/`([^`]+)`/).map((part, i) => (i % 2 ? el("code", part) : part)));
const resolve = (part) => (part && part.$ref ? { ...part.$ref.slice(2).split("/").reduce((at, key) => at[key], api), ...part, $ref: undefined } : part);
const refName = (part) => (part.$ref ? part.$ref.split("/").pop() : "");
const isNull = (part) => part.type === "null";

function typeOf(schema) {
  const choices = (schema.anyOf || []).filter((part) => !isNull(part) && !("const" in part));
  if (choices.length === 1) return typeOf(choices[0]);
  if (schema.$ref) return refName(schema);
  const type = [schema.type].flat().filter((name) => name !== "null").join(" or ") || (schema.anyOf ? "any" : "object");
  if (type === "array") return `[]${typeOf(schema.items)}`;
  if (schema.additionalProperties && schema.additionalProperties !== true) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

function limits(schema) {
  const inner = (schema.anyOf || []).find((part) => !isNull(part) && !("const" in part)) || {};
  const found = { ...inner, ...schema };
  const text = [];
  if (found.enum) text.push(`one of ${found.enum.filter((value) => value).join(", ")}`);
  for (const [key, word] of [["minimum", "≥"], ["exclusiveMinimum", ">"], ["maximum", "≤"], ["maxLength", "length ≤"], ["maxItems", "items ≤"]]) {
    if (key in found && Math.abs(found[key]) < 2 ** 31 - 1) text.push(`${word} ${found[key]}`);
  }
  if (found.uniqueItems) text.push("no item twice");
  if (found.pattern && !found.format && found.pattern.length < 80 && !found.pattern.includes("u0000")) text.push(found.pattern);
  return text.join(", ");
}

// The message that a schema leads to: its own, its items', its map's.
function below(schema) {
  const inner = (schema.anyOf || []).find((part) => part.$ref) || (schema.items ? schema.items : schema);
  const found = inner.$ref && refName(inner) !== "JsonValue" ? resolve(inner) : inner;
  return found.properties || found.oneOf ? found : null;
}

const rulesOf = (part) => (part["x-rules"] || []).map((rule) => el("li.soft", el("code", rule.id), " ", rule.message));

function fieldsOf(schema) {
  const list = el("ul.schema");
  for (const variant of schema.oneOf || []) list.append(lazily(el("span", el("code", variant.title)), () => fieldsOf(variant), "li"));
  for (const [name, field] of Object.entries(schema.properties || {})) {
    if (isNull(field)) continue;
    const mark = (schema.required || []).includes(name) ? el("span.required", " *") : "";
    const type = el("small", [typeOf(field), limits(field)].filter(Boolean).join("; "));
    const head = el("span", el("code", name), mark, " ", type, prose(field.description, "div"));
    const inner = below(field);
    const item = inner ? lazily(head, () => fieldsOf(inner), "li") : el("li", head);
    item.append(...rulesOf(field));
    list.append(item);
  }
  list.append(...rulesOf(schema));
  return list;
}

// What is folded away is made when it is opened: messages nest deeply.
function lazily(head, make, kind) {
  const fold = el("details", el("summary", head));
  fold.addEventListener("toggle", () => fold.open && fold.children.length === 1 && fold.append(make()));
  return el(kind, fold);
}

function inputs(parameters) {
  const rows = parameters.map((parameter) => {
    const choices = parameter.schema.enum || (parameter.schema.type === "boolean" ? ["", "true", "false"] : null);
    const input = choices ? el("select", ...choices.map((value) => el("option", value))) : el("input");
    input.name = `${parameter.in}:${parameter.name}`;
    input.required = Boolean(parameter.required);
    input.setAttribute("aria-label", parameter.name);
    const name = el("td", el("code", parameter.name), parameter.required ? el("span.required", " *") : "", el("br"), el("small", parameter.in));
    const about = el("td", prose(parameter.description, "div"), el("small", [typeOf(parameter.schema), limits(parameter.schema)].filter(Boolean).join("; ")));
    return el("tr", name, el("td", input), about);
  });
  return rows.length ? el("table", ...rows) : "";
}

function bodyOf(operation) {
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  if (!content) return [];
  const area = el("textarea");
  area.name = "body";
  area.setAttribute("aria-label", "body");
  const choice = el("select", ...Object.keys(content.examples).map((name) => el("option", name)));
  choice.setAttribute("aria-label", "example");
  choice.addEventListener("change", () => (area.value = JSON.stringify(content.examples[choice.value].value, null, 2)));
  choice.dispatchEvent(new Event("change"));
  const schema = { ...resolve({ $ref: content.schema.$ref }), required: [...(resolve({ $ref: content.schema.$ref }).required || []), ...(content.schema.required || [])] };
  return [el("h3", "Body ", choice), area, lazily(el("span", refName(content.schema)), () => fieldsOf(schema), "div")];
}

function answersOf(operation) {
  const rows = Object.entries(operation.responses).map(([status, reference]) => {
    const answer = resolve(reference);
    const content = Object.values(answer.content || {})[0];
    const fold = content && content.schema.$ref ? lazily(el("span", refName(content.schema)), () => fieldsOf(resolve(content.schema)), "div") : "";
    const headers = Object.keys(answer.headers || {}).join(", ");
    return el("tr", el("td", el("code", status)), el("td", prose(answer.description, "div"), fold, el("small", headers)));
  });
  return [el("h3", "Answers"), el("table", ...rows)];
}

async function send(verb, path, form, output) {
  const identity = new FormData(document.getElementById("identity"));
  const headers = identity.get("token") ? { Authorization: `Bearer ${identity.get("token")}` } : { "X-User-Email": identity.get("email") };
  const query = new URLSearchParams();
  let url = path;
  let body;
  for (const [key, value] of new FormData(form)) {
    const [place, name] = key.split(":");
    if (key === "body") body = value;
    else if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === "query" && value) query.append(name, value);
    else if (place === "header" && value) headers[name] = value;
  }
  if (body !== undefined) headers["Content-Type"] = "application/json";
  output.textContent = "…";
  try {
    const answer = await fetch(`.${url}${query.size ? `?${query}` : ""}`, { method: verb, headers, body });
    const text = await answer.text();
    const shown = (answer.headers.get("content-type") || "").includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
    output.textContent = `${answer.status} ${answer.statusText}\n${[...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function operationOf(path, verb, operation) {
  const output = el("pre");
  output.setAttribute("aria-live", "polite");
  const form = el("form", inputs((operation.parameters || []).map(resolve)), ...bodyOf(operation), el("div", el("button", "Send")), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(verb.toUpperCase(), path, form, output);
  });
  const who = operation["x-caller"] ? el("small", ` ${operation["x-caller"]}s only`) : "";
  const fold = lazily(el("span", el("b", verb.toUpperCase()), el("code", path), " ", prose(operation.summary, "span"), who), () =>
    el("div", prose(operation.description), operation["x-grpc-method"] ? el("p.soft", "gRPC: ", el("code", operation["x-grpc-method"])) : "", form, ...rulesOf(operation), ...answersOf(operation)), "div").firstChild;
  fold.className = `operation ${verb}`;
  fold.id = operation.operationId;
  return fold;
}

function show(found) {
  api = found;
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").append(...api.info.description.split("\n\n").map((part) => prose(part)));
  const sections = api.tags.map((tag) => {
    const operations = Object.entries(api.paths).flatMap(([path, verbs]) =>
      Object.entries(verbs).filter(([, operation]) => operation.tags.includes(tag.name)).map(([verb, operation]) => operationOf(path, verb, operation)));
    return el("section", el("h2", tag.name), prose(tag.description, "p"), ...operations);
  });
  document.getElementById("operations").replaceChildren(...sections);
  const chosen = document.getElementById(location.hash.slice(1));
  if (chosen) chosen.open = true;
}

fetch("openapi.json").then((answer) => answer.json()).then(show).catch((error) => document.getElementById("operations").replaceChildren(el("p.required", String(error))));
