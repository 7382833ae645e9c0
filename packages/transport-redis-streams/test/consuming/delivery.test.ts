import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L5 what another program adds to a queue itself is handled, and without a name becomes a dead letter", async () => {
  const space = new Space();
  const names: string[] = [];
  const app = space.app().onEvent("#", { useCase: "uc" }, (_, { eventName }) => void names.push(eventName));
  await app.start();
  await space.redis.xadd(space.key("queue:uc"), "*", "event", "by.hand", "payload", "1");
  await space.redis.xadd(space.key("queue:uc"), "*", "what", "ever");
  const deadLetters = app.deadLetters("uc");
  await until("one is handled, one dead", async () => names.length === 1 && (await deadLetters.count()) === 1);
  expect(names).toEqual(["by.hand"]);
  expect((await deadLetters.list()).items[0]?.headers).toMatchObject({ what: "ever" });
});
