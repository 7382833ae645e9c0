import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { kill, run } from "../support/processes.ts";
import { until } from "../support/wait.ts";

test("H1, T6 a consumer killed again and again loses nothing, and no kill counts as a retry", {
  timeout: 120_000,
}, async () => {
  const space = new Space();
  const outs = new Set<number>();
  const attempts = new Set<string>();
  const app = space.app().onEvent("out", { useCase: "other" }, (n) => void outs.add(n as number));
  // Its queue has to be there before anything is published.
  const declaring = space.app().onEvent("x", { useCase: "uc" }, () => {});
  await app.start();
  await declaring.start();
  await declaring.stop();
  const count = 500;
  await app.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  for (let kills = 0; kills < 6; kills += 1) {
    let handled = 0;
    const child = run(
      "consume",
      space.url(),
      (line) => {
        handled += 1;
        attempts.add(line.split(" ")[2] ?? "");
      },
      "5",
    );
    await until("some handled", () => handled >= 20);
    await kill(child);
  }
  run("consume", space.url(), (line) => attempts.add(line.split(" ")[2] ?? ""));
  await until("all of them", () => outs.size === count);
  expect([...attempts]).toEqual(["1"]);
  expect(await app.deadLetters("other").count()).toBe(0);
  expect(await space.size("uc.dlq")).toBe(0);
});
