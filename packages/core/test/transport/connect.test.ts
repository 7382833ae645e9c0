import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PapaApp, PapaError } from "../../src/index.ts";
import { connect, patiently } from "../../src/transport/connect.ts";
import type { Connection, ConnectOptions, Transport } from "../../src/transport.ts";
import { FakeTransport, silent } from "../support.ts";

const gone = () => new PapaError("connection-failed", "nobody there", { transport: "fake" }, { retryable: true });
const OPTIONS = {} as ConnectOptions;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A transport whose attempts end as the test says; counts them, and the connections that are open. */
function attempts(attempt: (count: number) => Promise<"connected">) {
  const fake = new FakeTransport();
  const state = { count: 0, open: 0, times: [] as number[] };
  const transport: Transport = {
    name: "fake",
    connect: async (options): Promise<Connection> => {
      state.count += 1;
      state.times.push(performance.now());
      await attempt(state.count);
      state.open += 1;
      return { ...(await fake.connect(options)), close: async () => void (state.open -= 1) };
    },
  };
  return { transport, state };
}

const connected = async () => "connected" as const;
const never = () => new Promise<"connected">(() => {});
const failing = (error: Error) => async (): Promise<"connected"> => {
  throw error;
};

describe("L4 connecting", () => {
  it("gives the connection, and leaves no timer", async () => {
    const { transport, state } = attempts(connected);
    await connect(transport, OPTIONS);
    expect([state, vi.getTimerCount()]).toEqual([{ count: 1, open: 1, times: [expect.any(Number)] }, 0]);
  });

  it("fails with what the transport says, at once, and leaves no timer", async () => {
    const error = gone();
    await expect(connect(attempts(failing(error)).transport, OPTIONS)).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fails with what the transport throws, though it must not, and leaves no timer", async () => {
    const error = new Error("a bug");
    const connecting = connect({ name: "fake", connect: () => thrown(error) }, OPTIONS);
    await expect(connecting).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a broker that never answers is a typed error after 10 s, retryable", async () => {
    const connecting = connect(attempts(never).transport, OPTIONS).catch((error: unknown) => error);
    let ended = false;
    void connecting.then(() => (ended = true));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await connecting).toMatchObject({
      code: "connection-failed",
      message: "The broker (fake) did not answer within 10 s.",
      details: { transport: "fake" },
      retryable: true,
    });
  });

  it("a connection that comes later is closed again", async () => {
    const late = Promise.withResolvers<"connected">();
    const { transport, state } = attempts(() => late.promise);
    const connecting = connect(transport, OPTIONS).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    await connecting;
    late.resolve("connected");
    await vi.advanceTimersByTimeAsync(0);
    expect([state.count, state.open, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  it("an attempt that fails later still is nobody's unhandled rejection", async () => {
    const late = Promise.withResolvers<"connected">();
    const { transport } = attempts(() => late.promise);
    const connecting = connect(transport, OPTIONS).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    late.reject(new Error("too late"));
    await vi.advanceTimersByTimeAsync(0);
    expect(await connecting).toMatchObject({ code: "connection-failed" });
  });
});

describe("L4 waitForBroker", () => {
  const connecting = (transport: Transport, waitForBroker: number, { signal } = new AbortController()) =>
    patiently(() => connect(transport, OPTIONS), { waitForBroker, signal, logger: silent });

  it("0 tries once", async () => {
    const { transport, state } = attempts(failing(gone()));
    await expect(connecting(transport, 0)).rejects.toMatchObject({ code: "connection-failed" });
    expect([state.count, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("tries again, ever less often, until the broker is there", async () => {
    const { transport, state } = attempts(async (count) => {
      if (count <= 8) throw gone();
      return "connected";
    });
    const waiting = connecting(transport, 60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    await waiting;
    const waits = state.times.slice(1).map((time, index) => time - (state.times[index] ?? 0));
    for (const [index, longest] of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000].entries()) {
      expect(waits[index], `wait ${index}`).toBeGreaterThanOrEqual(longest / 2);
      expect(waits[index], `wait ${index}`).toBeLessThanOrEqual(longest + 1);
    }
    expect([state.count, state.open, vi.getTimerCount()]).toEqual([9, 1, 0]);
  });

  it("gives up when the time has passed, with what the last attempt said", async () => {
    const { transport, state } = attempts(failing(gone()));
    const waiting = connecting(transport, 3_000).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3_001);
    const attempted = state.count;
    expect(await waiting).toMatchObject({ code: "connection-failed", message: "nobody there" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([state.count, vi.getTimerCount()]).toEqual([attempted, 0]);
  });

  it("a broker that accepts and never answers is waited for likewise", async () => {
    const { transport, state } = attempts(async (count) => (count === 1 ? never() : "connected"));
    const waiting = connecting(transport, 60_000);
    await vi.advanceTimersByTimeAsync(11_000);
    await waiting;
    expect([state.count, state.open]).toEqual([2, 1]);
  });

  it.each([
    new PapaError("access-refused", "wrong password", { transport: "fake" }),
    new PapaError("unsupported-broker", "too old", { transport: "fake", problem: "too old" }),
    new Error("a bug"),
  ])("does not wait for what stays wrong: %s", async (error) => {
    const { transport, state } = attempts(failing(error));
    await expect(connecting(transport, 60_000)).rejects.toBe(error);
    expect(state.count).toBe(1);
  });

  it("ends at once when it is told to, with why the broker was waited for", async () => {
    const { transport, state } = attempts(failing(gone()));
    const stop = new AbortController();
    const waiting = connecting(transport, 60_000, stop).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    stop.abort();
    expect(await waiting).toMatchObject({ code: "connection-failed" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([state.count, vi.getTimerCount()]).toEqual([1, 0]);
  });
});

describe("L4 a start that fails", () => {
  it("at a broker that never answers rejects within 10 s, leaves nothing, and can be called again", async () => {
    const { transport, state } = attempts(async (count) => (count === 1 ? never() : "connected"));
    const app = new PapaApp({ transport, logger: silent });
    const starting = app.start().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await starting).toMatchObject({ code: "connection-failed" });
    expect([app.health().state, vi.getTimerCount()]).toEqual(["new", 0]);
    await app.start();
    await app.stop();
    expect(state.open).toBe(0);
  });

  it("waits for the broker as long as waitForBroker says, and logs that it does", async () => {
    const lines: unknown[] = [];
    const logger = { ...silent, info: (_: object, message?: string) => void lines.push(message) };
    const { transport } = attempts(async (count) => {
      if (count < 3) throw gone();
      return "connected";
    });
    const app = new PapaApp({ transport, logger, waitForBroker: "10s" });
    const starting = app.start();
    await vi.advanceTimersByTimeAsync(10_000);
    await starting;
    expect(app.health()).toMatchObject({ healthy: true });
    expect(lines).toEqual(Array.from({ length: 2 }, () => "The broker cannot be reached yet; waiting for it."));
    await app.stop();
  });

  it("waits also where the broker is lost again before the topology is declared, and keeps nothing of the first try", async () => {
    const { transport, state } = attempts(connected);
    let declared = 0;
    const losing: Transport = {
      name: "fake",
      connect: async (options) => {
        const connection = await transport.connect(options);
        const declare = async () => {
          declared += 1;
          if (declared < 3) throw gone();
        };
        return { ...connection, declarations: { ...connection.declarations, declare } };
      },
    };
    const app = new PapaApp({ transport: losing, logger: silent, waitForBroker: "10s" });
    const starting = app.start();
    await vi.advanceTimersByTimeAsync(10_000);
    await starting;
    expect([app.health().healthy, declared, state.open]).toEqual([true, 3, 1]);
    await app.stop();
    expect(state.open).toBe(0);
  });

  it("stop() ends the wait: start() rejects, and the app can be started again", async () => {
    const { transport, state } = attempts(async (count) => {
      if (count < 3) throw gone();
      return "connected";
    });
    const app = new PapaApp({ transport, logger: silent, waitForBroker: "60s" });
    const starting = app.start().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    await app.stop();
    expect(await starting).toMatchObject({ code: "connection-failed" });
    expect(app.health().state).toBe("new");
    // The wait of a second start is not ended by the stop of the first.
    const again = app.start();
    await vi.advanceTimersByTimeAsync(10_000);
    await again;
    await app.stop();
    expect([state.count, state.open]).toEqual([3, 0]);
  });
});

function thrown(error: Error): never {
  throw error;
}
