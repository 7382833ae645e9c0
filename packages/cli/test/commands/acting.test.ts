import { memory } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { running, withDeadLetters } from "../support/broker.ts";
import { documents, papa } from "../support/papa.ts";

const done = [{ useCase: "send_welcome", done: true }];
const paused = async (transport: ReturnType<typeof memory>) =>
  (
    JSON.parse((await papa(["stats", "--json"], { transport })).stdout) as {
      stats: Record<string, { paused: boolean }>;
    }
  ).stats.send_welcome?.paused;

describe("pause and resume", () => {
  it("say what was done, and do it", async () => {
    const transport = await withDeadLetters([1]);
    expect(documents((await papa(["pause", "send_welcome", "--json"], { transport })).stdout)).toEqual(done);
    expect(await paused(transport)).toBe(true);
    expect((await papa(["use-cases"], { transport })).stdout).toContain("send_welcome\tpaused");
    expect(documents((await papa(["resume", "send_welcome", "--json"], { transport })).stdout)).toEqual(done);
    expect(await paused(transport)).toBe(false);
    expect((await papa(["pause", "send_welcome"], { transport })).stdout).toContain("papa resume send_welcome");
  });
});

describe("remove", () => {
  it("asks, and without a terminal to ask in wants --yes", async () => {
    const transport = await withDeadLetters([1]);
    expect(await papa(["remove", "send_welcome"], { transport })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--yes"),
    });
    const no = await papa(["remove", "send_welcome"], { transport, terminal: true, typed: "n" });
    expect(no).toMatchObject({ code: 1, stderr: expect.stringContaining("1 dead letter kept") });
    expect((await papa(["use-cases"], { transport })).stdout).toContain("send_welcome");
    expect(await papa(["remove", "send_welcome"], { transport, terminal: true, typed: "y" })).toMatchObject({
      code: 0,
    });
  });

  it("removes it, with its dead letters only if they are to be purged", async () => {
    const transport = await withDeadLetters([1]);
    expect(documents((await papa(["remove", "send_welcome", "--yes", "--json"], { transport })).stdout)).toEqual(done);
    expect((await papa(["dlq", "list", "send_welcome"], { transport })).stdout).toContain("user.created");
    const args = ["remove", "send_welcome", "--dead-letters", "purge", "--yes"];
    expect(await papa(args, { transport })).toMatchObject({ code: 0 });
    expect((await papa(["use-cases"], { transport })).stdout).toBe("");
    expect(await papa(args, { transport })).toMatchObject({ code: 1 });
    expect(await papa(["remove", "send_welcome", "--dead-letters", "burn"], { transport })).toMatchObject({ code: 2 });
  });

  it("--dry-run says what would be lost, and does nothing", async () => {
    const transport = await withDeadLetters([1]);
    const { code, stdout } = await papa(["remove", "send_welcome", "--dry-run"], { transport });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Would remove send_welcome: 0 waiting events destroyed, 1 dead letter kept.\n",
    });
    expect(await papa(["remove", "nobody", "--dry-run"], { transport })).toMatchObject({ code: 1 });
    expect((await papa(["use-cases"], { transport })).stdout).toContain("send_welcome");
  });
});

describe("unbind", () => {
  it("unbinds what nobody declares, and is refused where an app does", async () => {
    const transport = memory();
    await running(transport, "send_welcome", "user.*", () => {});
    const refused = await papa(["unbind", "send_welcome", "user.*", "--yes", "--json"], { transport });
    expect(refused.code).toBe(1);
    expect(documents(refused.stderr)).toEqual([
      { error: { code: "topology-conflict", message: expect.stringContaining('"mailer"') } },
    ]);
    const { stdout } = await papa(["unbind", "send_welcome", "client.*", "--yes", "--json"], { transport });
    expect(documents(stdout)).toEqual(done);
    expect(await papa(["unbind", "send_welcome", "client.*"], { transport })).toMatchObject({ code: 2 });
  });
});
