/** Reads and writes what every language must agree on: `node vectors.js IN_DIR OUT_DIR`. `tests/vectors/README.md` says what a vector is. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { equals, fromBinary, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { registry } from "@project-planton/protos/registry.js";
import { decode, encode, fromYaml, reason, violations } from "../src/manifests.js";

/** The parts of a vector that are read. */
interface Vector {
  name: string;
  message: string;
  yaml?: string;
  json?: JsonValue;
  binary?: string;
}

/** Returns what this language makes of a vector. */
function answer(vector: Vector): object {
  const { name } = vector;
  try {
    const schema = registry.getMessage(vector.message);
    if (schema === undefined) {
      throw new Error(`no message ${vector.message}`);
    }
    let a;
    if (vector.yaml !== undefined) {
      try {
        a = decode(schema, fromYaml(vector.yaml));
      } catch {
        return { name, unreadable: true };
      }
    }
    const b = decode(schema, vector.json ?? null);
    const c = fromBinary(schema, Buffer.from(vector.binary ?? "", "base64"));
    a ??= b;
    return {
      name,
      json: encode({ schema, message: a }),
      binary: Buffer.from(toBinary(schema, c)).toString("base64"),
      violations: violations({ schema, message: a })
        .map((one) => ({ field: pathToString(one.field), rule: one.ruleId }))
        .sort((one, other) => order(one.field, other.field) || order(one.rule, other.rule)),
      same: [b, c].every((other) => equals(schema, a, other, { registry, unknown: true, extensions: true })),
    };
  } catch (error) {
    return { name, error: reason(error) };
  }
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

const [source, target] = process.argv.slice(2);
if (source === undefined || target === undefined) {
  throw new Error("usage: node vectors.js IN_DIR OUT_DIR");
}
for (const file of ["manifests.json", "stack_inputs.json", "api_bodies.json"]) {
  const vectors = JSON.parse(readFileSync(join(source, file), "utf8")) as Vector[];
  writeFileSync(join(target, file), `${JSON.stringify(vectors.map(answer), null, 1)}\n`);
}
