/** Node pools through the API, over gRPC. */
import { setTimeout } from "node:timers/promises";
import { create, type MessageShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { NodePool } from "@project-planton/protos/org/project_planton/nodepool/v1/nodepool_pb.js";
import { type NewNodePoolSchema, NodePoolService, NodePoolUpdateSchema } from "@project-planton/protos/org/project_planton/nodepool/v1/service_pb.js";
import { BadRequest, ErrorInfo, type Info, type Wrong } from "./details.js";
import { PoolsError, readText } from "./manifests.js";

/** What a pool's watcher is told. */
export interface Observed {
  phase: string;
  generation: number;
}

/** A client of the API's node pools. */
export type Pools = Client<typeof NodePoolService>;

const TRIES = 5;
const PERIOD_MS = 1000;
const TIMEOUT_MS = 10_000;

/** Returns a client of the server, and as the caller, that the environment names. */
export function connect(environment: NodeJS.ProcessEnv): Pools {
  const [header, value] = identity(environment);
  const transport = createGrpcTransport({
    baseUrl: `http://${address(environment)}`,
    defaultTimeoutMs: TIMEOUT_MS,
    interceptors: [
      (next) => (request) => {
        request.header.set(header, value);
        return next(request);
      },
    ],
  });
  return createClient(NodePoolService, transport);
}

/** Returns the pool that is created. */
export async function createPool(pools: Pools, nodePool: MessageShape<typeof NewNodePoolSchema>): Promise<NodePool> {
  return present((await pools.createNodePool({ nodePool })).nodePool);
}

/** Returns a pool after its number of nodes is set, whatever else changes it meanwhile. */
export async function scalePool(pools: Pools, id: string, nodeCount: number): Promise<NodePool> {
  for (let tried = 1; ; tried++) {
    const { spec, resourceVersion } = await getPool(pools, id);
    const nodePool = create(NodePoolUpdateSchema, { spec: { ...present(spec), nodeCount }, resourceVersion });
    try {
      return present((await pools.updateNodePool({ id, nodePool })).nodePool);
    } catch (error) {
      // Aborted: somebody else wrote first. What they wrote is read, and the count set in that.
      if (!(error instanceof ConnectError && error.code === Code.Aborted) || tried === TRIES) {
        throw error;
      }
    }
  }
}

/** Yields a pool's phase and generation, first and at each change, until it is Ready. */
export async function* watchPool(pools: Pools, id: string): AsyncGenerator<Observed> {
  for (let last: Observed | undefined; last?.phase !== "Ready"; ) {
    if (last !== undefined) {
      await setTimeout(PERIOD_MS);
    }
    const pool = await getPool(pools, id);
    const found = { phase: pool.status?.phase ?? "", generation: Number(pool.generation) };
    if (found.phase !== last?.phase || found.generation !== last.generation) {
      yield found;
    }
    last = found;
  }
}

/** Returns what went wrong in a call and what to do next, on one line. */
export function explained(error: ConnectError, environment: NodeJS.ProcessEnv): string {
  const [info] = error.findDetails(ErrorInfo) as unknown as Info[];
  if (info === undefined) {
    const start = "start it with `planton server start --grpc-port 9090`, or set PLANTON_API_GRPC";
    return `no answer from ${address(environment)}: ${start} (${error.rawMessage})`;
  }
  const [request] = error.findDetails(BadRequest) as unknown as Wrong[];
  const violations = request?.fieldViolations.map((one) => `${one.field ? `${one.field}: ` : ""}${one.description} [${one.reason}]`);
  const line = [error.rawMessage, violations?.join("; ") || info.metadata["details"]].filter(Boolean).join(": ");
  const advice = "set PLANTON_API_USER to your email address, or PLANTON_API_TOKEN_FILE to the file of a token";
  return error.code === Code.Unauthenticated ? `${line}; ${advice}` : line;
}

/** Returns the pool as it is. */
async function getPool(pools: Pools, id: string): Promise<NodePool> {
  return present((await pools.getNodePool({ id })).nodePool);
}

function address(environment: NodeJS.ProcessEnv): string {
  return environment["PLANTON_API_GRPC"] || "127.0.0.1:9090";
}

/** Returns the metadata that says who asks. */
function identity(environment: NodeJS.ProcessEnv): [string, string] {
  const file = environment["PLANTON_API_TOKEN_FILE"];
  return file ? ["authorization", `Bearer ${readText(file).trim()}`] : ["x-user-email", environment["PLANTON_API_USER"] ?? ""];
}

/** Returns a part of an answer that every server sends. */
function present<T>(part: T | undefined): T {
  if (part === undefined) {
    throw new PoolsError("the server's answer has no node pool; is it the API of Project Planton?");
  }
  return part;
}
