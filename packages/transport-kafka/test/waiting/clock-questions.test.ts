import { operator } from "@papa-events/core/operator";
import { ConfigResourceTypes } from "kafkajs";
import { expect, onTestFinished, test, vi } from "vitest";
import { withAdmin } from "../support/admin.ts";
import { failure } from "../support/failure.ts";
import { brokerUri, declare, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Longer than what the broker has said of its clock is taken for granted. */
const DELAY_MS = 1_500;

/** Sets which time the delay topic keeps; kafkajs sets what is not named back to the broker's defaults. */
async function keepTime({ prefix }: Space, type: "CreateTime" | "LogAppendTime"): Promise<void> {
  const settings = { "cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": type };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const name = `${prefix}--delays`;
  await withAdmin(brokerUri(), (admin) =>
    admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }] }),
  );
}

/** An app whose first handling fails, and when it was handled. */
function failingOnce(space: Space, options: Parameters<Space["app"]>[0] = {}) {
  const app = space.app({ retries: 1, retryDelay: DELAY_MS, ...options });
  const times: number[] = [];
  app.onEvent("timed", { useCase: "timed" }, () => {
    times.push(performance.now());
    if (times.length === 1) throw new Error("once");
  });
  return { app, times };
}

test("L1 a delay topic that keeps no time of the broker's gets it back, while apps run and at a start", async () => {
  const space = new Space();
  const warn = vi.fn();
  const logger = { ...quiet, warn };
  const { app, times } = failingOnce(space, { logger });
  await app.start();
  await keepTime(space, "CreateTime");
  await app.newEvent("timed", {});
  await until("it comes back", () => times.length === 2);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(DELAY_MS);
  const told = () => warn.mock.calls.filter(([, text]) => text.includes("message.timestamp.type"));
  await until("it is told", () => told().length === 1);
  expect(told()).toEqual([[{ topic: `${space.prefix}--delays` }, expect.any(String)]]);
  await app.stop();
  await keepTime(space, "CreateTime");
  await failingOnce(space, { logger }).app.start();
  expect(told().length).toBe(2);
});

test("L6 where an app may not set it, it shows while apps run, at a start and in the diagnosis", async () => {
  const space = new Space();
  const others = await space.connect();
  await declare(others, "timed", ["timed"]);
  await others.close();
  const { app, times } = failingOnce(space, { transport: space.transport({ createTopics: false }) });
  await app.start();
  await keepTime(space, "CreateTime");
  await app.newEvent("timed", {});
  const problems = () => app.health().reasons.map(({ subject, message }) => `${subject}: ${message}`);
  await until("it shows", () => problems().some((each) => each.includes("LogAppendTime")));
  expect(problems()).toEqual([expect.stringMatching(/^releasing retries: the topic ".*--delays" has message\.times/)]);
  const error = await failure(`${brokerUri()}?prefix=${space.prefix}&createTopics=false`);
  expect(error).toMatchObject({ code: "topology-conflict", details: { object: `topic "${space.prefix}--delays"` } });
  expect(error.message).toContain("message.timestamp.type is CreateTime and must be LogAppendTime");
  const ops = operator(space.transport());
  const findings = (await ops.diagnose()).filter(({ severity }) => severity === "error");
  await ops.close();
  expect(findings.map(({ what }) => what)).toEqual([expect.stringContaining("message.timestamp.type is CreateTime")]);
  expect(times.length).toBe(1);
  await keepTime(space, "LogAppendTime");
  await until("it comes back", () => times.length === 2);
  await until("nothing shows any more", () => app.health().healthy);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(DELAY_MS);
});

test("T2 a retry whose time is only what its producer claims is not early", async () => {
  const space = new Space();
  const now = Date.now;
  const spy = vi.spyOn(Date, "now").mockImplementation(() => now() - 3_600_000);
  onTestFinished(() => spy.mockRestore());
  const { app, times } = failingOnce(space);
  await app.start();
  await keepTime(space, "CreateTime");
  await app.newEvent("timed", {});
  await until("it waits", async () => (await app.stats()).timed?.waiting === 1);
  await keepTime(space, "LogAppendTime");
  await until("it comes back", () => times.length === 2);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(DELAY_MS);
});
