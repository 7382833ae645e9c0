import { type Broker, BrokerNotOwn, BrokerUnavailable, type RunningBroker, type Way } from "./broker.ts";
import { noDocker, startInDocker } from "./docker.ts";
import { type Site, startNatively } from "./native.ts";
import { answerTo, untilDead } from "./net.ts";
import { type BrokerProxy, startProxy } from "./proxy.ts";
import { type BrokerSpec, variable } from "./spec.ts";

/** How long a broker may take from its start until it serves. */
const START_LIMIT = 90_000;

/**
 * Has a broker in the first way that works: at the address in the environment, in Docker, natively.
 * `PAPA_EVENTS_BROKERS=docker` or `native` leaves one way only.
 *
 * @throws BrokerUnavailable
 */
export async function startBroker(spec: BrokerSpec): Promise<Broker> {
  const { kind, version } = spec;
  const names = [variable(kind, version), variable(kind)];
  const given = names.map((name) => process.env[name]).find((value) => value);
  if (given !== undefined) return fromEnvironment(spec, given, names);
  const only = process.env.PAPA_EVENTS_BROKERS;
  const reasons = [`environment: neither ${names.join(" nor ")} is set`];
  for (const way of ["docker", "native"] as const) {
    if (only && only !== way) continue;
    const problem = way === "docker" ? noDocker() : undefined;
    try {
      if (problem !== undefined) throw new Error(problem);
      return await serving(spec, await start(way, spec, reasons));
    } catch (error) {
      reasons.push(`${way}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new BrokerUnavailable(`${kind} ${version} cannot be had: ${reasons.join("; ")}.`);
}

function start(way: Exclude<Way, "environment">, spec: BrokerSpec, reasons: readonly string[]): Promise<RunningBroker> {
  return way === "docker" ? startInDocker(spec) : startNatively(spec, reasons.join("; "));
}

/** A broker from the environment. */
async function fromEnvironment(spec: BrokerSpec, uri: string, names: readonly string[]): Promise<Broker> {
  const { hostname, port } = new URL(uri);
  const answer = await answerTo(hostname, Number(port), spec.hello);
  if (answer === undefined || !spec.serves(answer)) {
    const address = `${hostname}:${port}`;
    throw new BrokerUnavailable(
      `${spec.kind} ${spec.version} cannot be had: environment: at ${address} (${names.join(" or ")}) no ${spec.kind} answers.`,
    );
  }
  return handle(
    { ...spec, uri: (host, at) => readdressed(uri, host, at) },
    { way: "environment", host: hostname, port: Number(port) },
  );
}

/** The same URL, credentials and all, at another address. */
function readdressed(uri: string, host: string, port: number): string {
  const url = new URL(uri);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}

/** One broker of a cluster, natively. @throws BrokerUnavailable */
export async function startNode(spec: BrokerSpec, site?: Site): Promise<Broker> {
  const { kind, version } = spec;
  try {
    return await serving(spec, await startNatively(spec, "clusters run natively only", site));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BrokerUnavailable(`${kind} ${version} cannot be had: native: ${reason}.`);
  }
}

/** An address by which any of several brokers is reached: nothing can be done to it. */
export function frontOf(spec: BrokerSpec, host: string, port: number): Broker {
  return handle(spec, { way: "native", host, port });
}

/** Waits until a broker serves, and ends it if it does not. */
async function serving(spec: BrokerSpec, running: RunningBroker): Promise<Broker> {
  try {
    await untilServes(spec, running);
  } catch (error) {
    await running.control?.stop(true);
    throw error;
  }
  return handle(spec, running);
}

async function untilServes(spec: BrokerSpec, { host, port, lastWords }: RunningBroker): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < START_LIMIT) {
    const answer = await answerTo(host, port, spec.hello);
    if (answer !== undefined && spec.serves(answer)) return;
    const words = lastWords?.();
    if (words !== undefined) throw new Error(`it ended before it served, and said last: ${words}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it was started and did not serve within ${START_LIMIT / 1_000} s`);
}

function handle(spec: BrokerSpec, running: RunningBroker): Broker {
  const { kind, version } = spec;
  const { way, host, port, folder, control } = running;
  const proxies: BrokerProxy[] = [];
  const controlled = (operation: string) => {
    if (control === undefined) throw new BrokerNotOwn(kind, operation);
    return control;
  };
  return {
    kind,
    version,
    way,
    uri: spec.uri(host, port),
    own: control !== undefined,
    folder,
    nodes: [],
    kill: async () => {
      await controlled("kill").kill();
      await untilDead(host, port, spec.hello);
    },
    restart: async () => {
      await controlled("restart").start();
      await untilServes(spec, running);
    },
    pause: async () => controlled("pause").pause(),
    resume: async () => controlled("resume").resume(),
    proxy: async () => {
      const proxy = await startProxy(host, port, spec.uri);
      proxies.push(proxy);
      return proxy;
    },
    stop: async (failed = false) => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await control?.stop(failed);
    },
  };
}
