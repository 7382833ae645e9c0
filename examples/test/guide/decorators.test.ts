import "reflect-metadata";
import { container } from "tsyringe";
import { expect, it, vi } from "vitest";
import { app, Mailer } from "../../src/decorated/send-welcome.ts";

it("a class with @onEvent gets its dependencies and its event's context", async () => {
  await app.start();
  await app.newEvent("user.created", { address: "hola@test.com" });
  const { sent } = container.resolve(Mailer);
  await vi.waitFor(() => expect(sent).toEqual(["Welcome (user.created), hola@test.com"]));
  await app.stop();
});
