#!/usr/bin/env node
/** A program of your own in TypeScript: manifests and stack inputs as messages, node pools through the API. `clients/README.md` says what it does. */
import { fromJsonString } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { NodePoolSchema } from "@project-planton/protos/org/project_planton/nodepool/v1/nodepool_pb.js";
import { NewNodePoolSchema } from "@project-planton/protos/org/project_planton/nodepool/v1/service_pb.js";
import { connect, createPool, explained, scalePool, watchPool } from "./api.js";
import { check, encode, InvalidError, PoolsError, readManifest, readText, reason, stackInput } from "./manifests.js";

const USAGE = "usage: pools validate FILE | stack-input FILE | create FILE | scale ID COUNT | watch ID";
const MOST_NODES = 2 ** 31 - 1;

/** Does what the arguments say, and prints it. */
async function run(command: string | undefined, operands: string[]): Promise<void> {
  const [first = "", second = ""] = operands;
  if (operands.length !== (command === "scale" ? 2 : 1)) {
    throw new PoolsError(USAGE);
  }
  switch (command) {
    case "validate": {
      const manifest = readManifest(readText(first), first);
      check(manifest);
      return print({ kind: manifest.schema.name, valid: true });
    }
    case "stack-input": {
      const manifest = readManifest(readText(first), first);
      check(manifest);
      const input = stackInput(manifest, process.env);
      check(input);
      return print(encode(input));
    }
    case "create": {
      const message = readBody(first);
      check({ schema: NewNodePoolSchema, message });
      return print(encode({ schema: NodePoolSchema, message: await createPool(connect(process.env), message) }));
    }
    case "scale": {
      const count = readCount(second);
      return print(encode({ schema: NodePoolSchema, message: await scalePool(connect(process.env), first, count) }));
    }
    case "watch":
      for await (const observed of watchPool(connect(process.env), first)) {
        print(observed);
      }
      return;
    default:
      throw new PoolsError(USAGE);
  }
}

/** Returns the node pool of a JSON body; it may break rules. */
function readBody(file: string) {
  try {
    return fromJsonString(NewNodePoolSchema, readText(file));
  } catch (error) {
    throw error instanceof PoolsError ? error : new PoolsError(`${file}: ${reason(error)}`);
  }
}

/** Returns a number of nodes; the server says which ones there may be. */
function readCount(text: string): number {
  const count = /^[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(count) <= MOST_NODES)) {
    throw new PoolsError(`COUNT must be a number of nodes, and is "${text}"`);
  }
  return count;
}

function print(value: unknown): void {
  console.log(JSON.stringify(value));
}

/** Returns 0 where it is done, 1 where something is invalid, 2 where something could not be read or asked. */
async function main([command, ...operands]: string[]): Promise<number> {
  try {
    await run(command, operands);
    return 0;
  } catch (error) {
    if (error instanceof InvalidError) {
      for (const violation of error.violations) {
        console.error(`${operands[0]}: ${violation}`);
      }
      return 1;
    }
    console.error(`pools: ${error instanceof ConnectError ? explained(error, process.env) : reason(error)}`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
