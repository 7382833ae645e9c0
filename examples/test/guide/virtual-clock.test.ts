import { PapaApp, useCase } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";
import { expect, it } from "vitest";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const alwaysFails = useCase("always_fails", { on: "user.created" }, () => {
  throw new Error("The mail server does not answer");
});

// #region test
it("gives up after five retries", async () => {
  const clock = virtualClock();
  await using app = new PapaApp({ transport: memory({ clock }), logger: silent });
  app.use(alwaysFails);
  await app.start();
  await app.newEvent("user.created", { name: "carlos" });
  await clock.advance("50s"); // five retries at 10 s, in milliseconds
  expect(await app.deadLetters("always_fails").count()).toBe(1);
});
// #endregion
