import { isPapaError, PapaApp } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";
import { expect } from "vitest";
import { quiet } from "./broker.ts";

/** Resolves to what `start()` rejects with, and fails if that took 10 s or more or shows the secret. */
export async function failure(
  url: string,
  more: object = {},
): Promise<{ code: string; message: string; details: object }> {
  const app = new PapaApp({ transport: amqp({ uri: url, ...more }), logger: quiet });
  app.onEvent("x", { useCase: "uc" }, () => {});
  const begun = performance.now();
  const error: unknown = await app.start().then(
    () => app.stop(),
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - begun).toBeLessThan(10_000);
  if (!isPapaError(error)) throw new Error(`not an error of the library: ${String(error)}`);
  const all: string[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    all.push(each.message, each.stack ?? "", JSON.stringify(each));
  }
  expect(all.join("\n")).not.toContain("s3cret");
  return error;
}
