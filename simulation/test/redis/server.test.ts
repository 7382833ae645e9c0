import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RedisError, type Reply, Status } from "../../src/redis/reply.ts";
import { Server } from "../../src/redis/server.ts";

type Recorded = null | number | string | { readonly error: string } | readonly Recorded[];

/** Commands that chance has made, and programs in Lua, with what Redis 7.0.15 replied to each in turn. */
const RECORDED = JSON.parse(readFileSync(new URL("recorded.json", import.meta.url), "utf8")) as readonly (readonly [
  words: readonly string[],
  reply: Recorded,
])[];

describe("the simulated server", () => {
  it("replies what a real one replied", () => {
    const server = newServer();
    let reply: Reply = null;
    const client = server.connect((given) => {
      reply = given;
    });
    for (const [index, [words, recorded]] of RECORDED.entries()) {
      server.receive(client, words);
      const about = `${index}: ${words.join(" ")}`;
      expect({ about, reply: withoutIdle(words, shown(reply)) }).toEqual({
        about,
        reply: withoutIdle(words, known(recorded)),
      });
    }
  });
});

function newServer(): Server {
  return new Server({ now: () => 1_767_225_600_000, after: () => () => {}, onCommand: () => {}, isFull: () => false });
}

/** The first word of an error is what clients look at. */
function known(recorded: Recorded): unknown {
  if (Array.isArray(recorded)) return recorded.map(known);
  if (recorded !== null && typeof recorded === "object" && "error" in recorded)
    return { error: recorded.error.split(" ")[0] };
  return recorded;
}

function shown(reply: Reply): unknown {
  if (reply instanceof RedisError) return { error: reply.message.split(" ")[0] };
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map(shown) : reply;
}

/** How long entries have been idle depends on when it was recorded. */
function withoutIdle([command, , , from]: readonly string[], reply: unknown): unknown {
  if (command !== "XPENDING" || from === undefined || !Array.isArray(reply)) return reply;
  return reply.map((entry: unknown) => (Array.isArray(entry) ? entry.toSpliced(2, 1) : entry));
}
