import assert from "node:assert/strict";
import { isPapaError, type PapaApp, PapaError } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";
import { Calls } from "../rig/calls.ts";
import { textReachableFrom } from "../rig/reachable.ts";
import { pause } from "../rig/until.ts";
import { declaring, wrapped } from "../rig/wrapped.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { numbers } from "./events.ts";

/** How soon a start has failed, whatever is wrong. */
const SOON_MS = 10_000;
/** What a busy machine adds to that. */
const LEEWAY_MS = 1_500;

/** L4: how an app fails to start. */
export const failedStarts: readonly RuleTest[] = [
  rule("L4", "start() fails fast and clearly, with no secret in anything of its error", async (rig) => {
    for (const { problem, transport, code, names = "", secret } of rig.offered(rig.description.refused)) {
      const started = performance.now();
      const error = await failureOf(
        rig.app({ transport: transport() }).onEvent("a", { useCase: "refused" }, new Calls().handler),
      );
      assert(isPapaError(error), `${problem}: ${String(error)}`);
      assert.equal(error.code, code, `${problem}: ${error.message}`);
      assert(performance.now() - started < SOON_MS, `${problem}: it took more than 10 s`);
      assert(error.message.includes(names), `${problem}: "${error.message}" does not name ${names}`);
      if (secret === undefined) continue;
      assert(!textReachableFrom(error).includes(secret), `${problem}: the secret is in the error`);
      assert(!textReachableFrom(rig.log.lines).includes(secret), `${problem}: the secret is in what was logged`);
    }
  }),

  rule("L4", "with waitForBroker, start() waits for a broker that is not up yet", async (rig) => {
    await rig.faults.disconnect();
    const calls = new Calls();
    const app = rig.app({ waitForBroker: rig.patience }).onEvent("late", { useCase: "patient" }, calls.handler);
    let started = false;
    const starting = app.start().then(() => {
      started = true;
    });
    // Awaited below; until then a failure is nobody's.
    starting.catch(() => {});
    await pause(700);
    assert.equal(started, false, "it has started without a broker");
    await rig.faults.reconnect();
    await starting;
    await app.newEvent("late", {});
    await rig.until("it is handled", () => calls.count === 1);
  }),

  rule("L4", "a start that failed can be called again, and works when the broker is there", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("again", { useCase: "repeated" }, calls.handler);
    await rig.faults.disconnect();
    for (const _ of numbers(2)) {
      const started = performance.now();
      const error = await failureOf(app);
      assert(isPapaError(error, "connection-failed"), String(error));
      assert(performance.now() - started < SOON_MS, "it took more than 10 s");
    }
    await rig.faults.reconnect();
    await app.start();
    await app.newEvent("again", {});
    await rig.until("it is handled", () => calls.count === 1);
  }),

  rule("L4", "a start that fails after it has connected closes the connection", async (rig) => {
    const problem = { now: true };
    const spy = refusingDeclarations(rig.transport(), problem);
    const calls = new Calls();
    const app = rig.app({ transport: spy.transport }).onEvent("again", { useCase: "repeated" }, calls.handler);
    assert(isPapaError(await failureOf(app), "access-refused"));
    assert.deepEqual([spy.connected, spy.closed], [1, 1]);
    problem.now = false;
    await app.start();
    await app.newEvent("again", {});
    await rig.until("it is handled", () => calls.count === 1);
    await app.stop();
    assert.deepEqual([spy.connected, spy.closed], [2, 2]);
  }),

  rule("L4", "a broker that never answers is a typed error within 10 s", async (rig) => {
    const flow = await rig.stall();
    const app = rig.app().onEvent("silent", { useCase: "silent" }, new Calls().handler);
    const started = performance.now();
    const error = await failureOf(app);
    const took = performance.now() - started;
    assert(isPapaError(error, "connection-failed"), String(error));
    assert(took <= SOON_MS + LEEWAY_MS, `it took ${Math.round(took)} ms`);
    await flow();
  }),

  ruleAlone("L4", "a failed start leaves no socket open", async (rig) => {
    // One that works first, so that what stays open for good is open before.
    await (await rig.publisher()).stop();
    const before = openSockets();
    await rig.faults.disconnect();
    for (const _ of numbers(3)) await failureOf(rig.app().onEvent("a", { useCase: "refused" }, new Calls().handler));
    await rig.faults.reconnect();
    if (typeof rig.description.refused !== "string")
      for (const { transport } of rig.description.refused) await failureOf(rig.app({ transport: transport() }));
    await rig.until(
      () => `no more than ${before} sockets are open; there are ${openSockets()}`,
      () => openSockets() <= before,
    );
  }),
];

/** What a start is refused with. */
async function failureOf(app: PapaApp): Promise<unknown> {
  try {
    await app.start();
  } catch (error) {
    return error;
  }
  assert.fail("it has started");
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => /^(TCP|TLS)/.test(resource)).length;
}

interface DeclarationSpy {
  readonly transport: Transport;
  readonly connected: number;
  readonly closed: number;
}

/** A broker on which nothing may be declared for now; counts connections. */
function refusingDeclarations(inner: Transport, refusing: { readonly now: boolean }): DeclarationSpy {
  const count = { connected: 0, closed: 0 };
  const transport = wrapped(inner, (connection) => {
    count.connected += 1;
    const { declarations } = connection;
    return {
      declarations: declaring(declarations, async (each) => {
        if (refusing.now) throw new PapaError("access-refused", "Nothing may be declared.", { transport: inner.name });
        await declarations.declare(each);
      }),
      close: async () => {
        count.closed += 1;
        await connection.close();
      },
    };
  });
  return {
    transport,
    get connected() {
      return count.connected;
    },
    get closed() {
      return count.closed;
    },
  };
}
