import { allRules, type Description, runRule } from "@papa-events/conformance";
import type { Transport } from "@papa-events/core/transport";
import { describe, it } from "vitest";
import { minimal } from "../../src/minimal-transport.ts";

const NEVER_FAILS = "this broker never fails";
const brokers = new Map<string, Transport>();
/** The namespaces of rules that asked for a fault. */
const faulty = new Set<string>();
const fault = async (namespace: string) => {
  faulty.add(namespace);
  throw new Error(NEVER_FAILS);
};

const description: Description = {
  name: "minimal",
  version: "in process",
  transport: (namespace) => {
    const transport = brokers.get(namespace) ?? minimal();
    brokers.set(namespace, transport);
    return transport;
  },
  faults: {
    cut: fault,
    disconnect: fault,
    reconnect: async () => {},
    crash: fault,
    restart: NEVER_FAILS,
    cancel: NEVER_FAILS,
  },
  outside: NEVER_FAILS,
  conflict: NEVER_FAILS,
  refused: NEVER_FAILS,
  program: NEVER_FAILS,
  // Rules that ask for a fault wait in vain.
  patience: 10_000,
};

describe("the minimal transport", () => {
  it.each(allRules.map((rule) => [`${rule.rule} ${rule.title}`, rule] as const))(
    "keeps %s, unless that needs a broker that fails",
    { concurrent: true },
    async (_, rule) => {
      let namespace = "";
      const transport = (of: string) => description.transport((namespace = of));
      const result = await runRule({ ...description, transport }, rule);
      if (result.outcome === "broken" && !faulty.has(namespace)) throw result.error;
    },
  );
});
