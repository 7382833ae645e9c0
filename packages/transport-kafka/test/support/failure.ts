import { isPapaError, PapaApp, type PapaError } from "@papa-events/core";
import { type KafkaOptions, kafka } from "@papa-events/transport-kafka";
import { expect } from "vitest";
import { quiet } from "./space.ts";

/** Resolves to the error of `start()`, and expects it within 10 s and without the secret. */
export async function failure(target: string | KafkaOptions, secret = "s3cret"): Promise<PapaError> {
  const app = new PapaApp({ transport: kafka(target), logger: quiet });
  app.onEvent("x", { useCase: "uc" }, () => {});
  const begun = performance.now();
  const error: unknown = await app.start().then(
    () => app.stop(),
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - begun).toBeLessThan(10_000);
  if (!isPapaError(error)) throw new Error(`not an error of the library: ${String(error)}`);
  const all: string[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause)
    all.push(each.message, each.stack ?? "", JSON.stringify(each));
  expect(all.join("\n")).not.toContain(secret);
  return error;
}
