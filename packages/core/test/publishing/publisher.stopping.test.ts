import { describe, expect, it } from "vitest";
import { FakeTransport, slowly, started, turns } from "../support.ts";

describe("publishing while the app stops", () => {
  it("L2 an event whose schema takes longer than the stop is rejected, not left hanging", async () => {
    const app = await started(new FakeTransport(), [], { events: { a: slowly({ value: 1 }) } as never });
    const published = app.newEvent("a", 1).catch((error: unknown) => error);
    await app.stop();
    expect(await published).toMatchObject({ code: "stopped", retryable: true });
  });

  it("L2 an event published while the connection closes is rejected", async () => {
    const transport = new FakeTransport();
    const { promise: closing, resolve: close } = Promise.withResolvers<void>();
    transport.closing = closing;
    const app = await started(transport);
    const stopped = app.stop();
    await turns();
    await expect(app.newEvent("a", 1)).rejects.toMatchObject({ code: "stopped" });
    close();
    await stopped;
    expect(transport.calls).toEqual([]);
  });

  it("L2 what is not confirmed when drainTimeout passes is rejected, retryable", async () => {
    const transport = new FakeTransport();
    transport.holdPublishes();
    const app = await started(transport, [], { drainTimeout: "20ms" });
    const published = app.newEvent("a", 1).catch((error: unknown) => error);
    await turns();
    await app.stop();
    expect(await published).toMatchObject({ code: "stopped", retryable: true });
  });
});
