import { expect, test } from "vitest";
import { makeTopic } from "../support/admin.ts";
import { failure } from "../support/failure.ts";
import { brokerUri, Space } from "../support/space.ts";

test("L4 missing topics are named if none may be created", async () => {
  const { prefix } = new Space();
  const error = await failure(`${brokerUri()}?prefix=${prefix}&createTopics=false`);
  expect(error.code).toBe("topology-conflict");
  expect(error.message).toContain(`${prefix}--registry`);
  expect(error.message).toContain("createTopics");
});

test("L1 a topic with other settings is a conflict that names the topic and the difference", async () => {
  const { prefix } = new Space();
  await makeTopic(brokerUri(), `${prefix}--ready-uc`, { "cleanup.policy": "compact" });
  const error = await failure(`${brokerUri()}?prefix=${prefix}`);
  expect(error).toMatchObject({ code: "topology-conflict", details: { object: `topic "${prefix}--ready-uc"` } });
  expect(error.message).toContain("cleanup.policy is compact");
});
