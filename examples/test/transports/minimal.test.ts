import { allRules, type Description, runRule } from "@papa-events/conformance";
import { describe, it } from "vitest";
import { minimal } from "../../src/minimal-transport.ts";

const NEVER_FAILS = "this broker never fails";

/** The broker of one test, with what is to be done when the test asks for a fault. */
function descriptionOf(onFault: () => void): Description {
  const transport = minimal();
  const fault = () => {
    onFault();
    const failed = Promise.reject(new Error(NEVER_FAILS));
    // Some tests await it later, and one that has failed before that never does.
    failed.catch(() => {});
    return failed;
  };
  return {
    name: "minimal",
    version: "in process",
    transport: () => transport,
    faults: {
      cut: fault,
      disconnect: fault,
      reconnect: fault,
      crash: fault,
      restart: NEVER_FAILS,
      cancel: NEVER_FAILS,
    },
    outside: NEVER_FAILS,
    conflict: NEVER_FAILS,
    refused: NEVER_FAILS,
    program: NEVER_FAILS,
    // A test whose fault fails in a handler waits in vain.
    patience: 10_000,
  };
}

describe.each([true, false])("the minimal transport, with tests that run alone: %s", (alone) => {
  it.each(allRules.filter((rule) => rule.alone === alone).map((rule) => [`${rule.rule} ${rule.title}`, rule] as const))(
    "keeps %s, unless that needs a broker that fails",
    { concurrent: !alone },
    async (_, rule) => {
      let faults = 0;
      const result = await runRule(
        descriptionOf(() => (faults += 1)),
        rule,
      );
      if (result.outcome === "broken" && faults === 0) throw result.error;
    },
  );
});
