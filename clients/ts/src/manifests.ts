/** Manifests and stack inputs: texts, as messages that keep the rules of their kind. */
import { readFileSync } from "node:fs";
import { type DescMessage, fromJson, type JsonObject, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { registry } from "@project-planton/protos/registry.js";
import { parse, YAMLParseError } from "yaml";

/** Something that cannot be read or asked; the message says what to do next. */
export class PoolsError extends Error {}

/** A message that breaks rules. */
export class InvalidError extends Error {
  /** The rules that it breaks; at least one. */
  readonly violations: Violation[];

  constructor(violations: Violation[]) {
    super(violations.join("\n"));
    this.violations = violations;
  }
}

/** A message, together with its type. */
export interface Typed {
  schema: DescMessage;
  message: Message;
}

/** What every manifest has. */
const PARTS = ["api_version", "kind", "metadata", "spec", "status"];

/** Where the token of an account is, by the type of the stack input's provider config. */
const TOKENS: Record<string, string> = { CivoProviderConfig: "CIVO_TOKEN", DigitalOceanProviderConfig: "DIGITALOCEAN_TOKEN" };

// The registry holds our predefined rules, which protovalidate evaluates too.
const validator = createValidator({ registry });

/** Returns the text of a file. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new PoolsError(`${file} cannot be read: ${reason(error)}; name a file that is there`);
  }
}

/** Returns the JSON value of a YAML 1.2 text with one document, which may use merge keys. Throws where it is none. */
export function fromYaml(text: string): JsonValue {
  try {
    return parse(text, { merge: true, prettyErrors: false }) as JsonValue;
  } catch (error) {
    if (error instanceof YAMLParseError && error.code === "MULTIPLE_DOCS") {
      throw new PoolsError("there is more than one document: put each into a file of its own");
    }
    throw error;
  }
}

/** Returns the message of a JSON value. An unknown field, or a value that does not fit, throws. */
export function decode(schema: DescMessage, json: JsonValue): Message {
  return fromJson(schema, json, { registry });
}

/** Returns the JSON value of a message. */
export function encode(value: Typed): JsonValue {
  return toJson(value.schema, value.message, { registry });
}

/** Returns the rules that a message breaks; none: it is valid. Throws where a rule cannot be evaluated. */
export function violations(value: Typed): Violation[] {
  const result = validator.validate(value.schema, value.message);
  if (result.kind === "error") {
    throw result.error;
  }
  return result.violations ?? [];
}

/** Throws an InvalidError where a message breaks rules. */
export function check(value: Typed): void {
  const found = violations(value);
  if (found.length > 0) {
    throw new InvalidError(found);
  }
}

/** Returns the message of a manifest's text, of the type that its `kind` names; it may break rules. */
export function readManifest(text: string, file: string): Typed {
  try {
    const json = fromYaml(text);
    const schema = kinds().find((one) => one.name === (isObject(json) ? json["kind"] : undefined));
    if (schema === undefined) {
      const names = kinds().map((one) => one.name);
      throw new Error(`kind must be one of ${names.sort().join(", ")}`);
    }
    return { schema, message: decode(schema, json) };
  } catch (error) {
    throw new PoolsError(`${file}: ${reason(error)}`);
  }
}

/** Returns the stack input of a manifest, for the account and the region that the environment names. */
export function stackInput(target: Typed, environment: NodeJS.ProcessEnv): Typed {
  const schema = registry.getMessage(`${target.schema.typeName}StackInput`);
  const config = schema?.field["providerConfig"]?.message;
  if (!schema || !config) {
    throw new PoolsError(`${target.schema.name} has no stack input; take a kind that a module makes`);
  }
  const variable = TOKENS[config.name] ?? "";
  if (!environment[variable]) {
    throw new PoolsError(`$${variable} is not set: put the token of your account there`);
  }
  const [, ...regions] = config.field["defaultRegion"]?.enum?.values ?? [];
  if (!regions.some((one) => one.name === environment["REGION"])) {
    throw new PoolsError(`$REGION does not name a region: set it to one such as ${regions[0]?.name}`);
  }
  const providerConfig = { apiToken: environment[variable] ?? "", defaultRegion: environment["REGION"] ?? "" };
  return { schema, message: decode(schema, { target: encode(target), providerConfig }) };
}

/** Returns what an error says, on one line. */
export function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(/\s*\n\s*/).join(" ").trim();
}

/** Returns the types of manifests. */
function kinds(): DescMessage[] {
  return [...registry].filter((one) => one.kind === "message" && PARTS.every((part) => one.fields.some((field) => field.name === part))) as DescMessage[];
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
