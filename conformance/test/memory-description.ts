import type { Connection, Transport } from "@papa-events/core/transport";
import { type MemoryTransport, memory } from "@papa-events/transport-memory";
import type { Description } from "../src/description.ts";
import { Network } from "./network.ts";

interface Broker {
  readonly inner: MemoryTransport;
  readonly outer: Transport;
  readonly network: Network;
}

/** The broker in memory, one for each namespace; `around` puts something between it and the apps. */
export function memoryDescription(around: (transport: Transport) => Transport = (inner) => inner): Description {
  const brokers = new Map<string, Broker>();
  const on = (namespace: string): Broker => {
    const known = brokers.get(namespace);
    if (known !== undefined) return known;
    const inner = memory();
    const network = new Network();
    const broker = { inner, outer: around(network.around(inner)), network };
    brokers.set(namespace, broker);
    return broker;
  };
  return {
    name: "memory",
    version: "in process",
    transport: (namespace) => on(namespace).outer,
    clean: async (namespace) => {
      brokers.delete(namespace);
    },
    faults: {
      cut: async (namespace) => {
        on(namespace).inner.disconnect();
        on(namespace).inner.reconnect();
      },
      disconnect: async (namespace) => {
        on(namespace).network.away = true;
        on(namespace).inner.disconnect();
      },
      reconnect: async (namespace) => {
        on(namespace).network.away = false;
        on(namespace).inner.reconnect();
      },
      stall: async (namespace) => on(namespace).network.stall(),
      flow: async (namespace) => on(namespace).network.flow(),
      crash: async (namespace) => on(namespace).inner.crash(),
      fill: async (namespace) => {
        on(namespace).network.full = true;
        return async () => {
          on(namespace).network.full = false;
        };
      },
      deletions: (namespace, useCase) => ({
        "its patterns": () =>
          byItself(on(namespace).inner, async ({ declarations }) => {
            const records = await declarations.list(useCase);
            await declarations.withdraw(
              useCase,
              records.flatMap(({ patterns }) => patterns),
              0,
            );
          }),
      }),
      restart: "a broker in memory ends with its process",
      cancel: "a broker in memory cancels no consumer",
    },
    outside: (namespace, { name, body, headers = {} }) =>
      byItself(on(namespace).outer, (connection) =>
        connection.publish([{ name, id: "", time: Date.now(), headers: headers as Record<string, string>, body }]),
      ),
    outsideHeaders: { amount: 7, flag: true, bytes: Buffer.from([0xff, 0x00]), twice: ["a", "b"] },
    conflict: "a queue in memory has no properties that could differ",
    refused: "a broker in memory refuses nobody",
    program: "a broker in memory cannot be reached from another process",
    wildcardPairs: "all",
  };
}

/** Does something by a connection of its own. */
async function byItself(transport: Transport, act: (connection: Connection) => Promise<unknown>): Promise<void> {
  const connection = await transport.connect({
    appName: "outside",
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    maxHeldBytes: 1,
    onStatus: () => {},
    onProblem: () => {},
  });
  await act(connection);
  await connection.close();
}
