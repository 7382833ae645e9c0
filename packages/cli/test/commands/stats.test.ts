import { expect, it } from "vitest";
import { withDeadLetters } from "../support/broker.ts";
import { documents, papa } from "../support/papa.ts";

const one = { stats: { send_welcome: { ready: 0, inFlight: 0, waiting: 0, dead: 1, paused: false } } };

it("stats as JSON is one document, of all use cases or of one", async () => {
  const transport = await withDeadLetters([1]);
  expect(documents((await papa(["stats", "--json"], { transport })).stdout)).toEqual([one]);
  expect(documents((await papa(["stats", "send_welcome", "--json"], { transport })).stdout)).toEqual([one]);
  expect(await papa(["stats", "nobody"], { transport })).toMatchObject({ code: 1, stdout: "" });
});

it("stats --watch goes on until Ctrl-C, with what changes a second", async () => {
  const transport = await withDeadLetters([1]);
  const ending = new AbortController();
  const { code, stdout } = await papa(["stats", "--watch", "--interval", "5ms"], {
    transport,
    signal: ending.signal,
    onOutput: (text) => text.split("\n").length > 3 && ending.abort(),
  });
  expect(code).toBe(0);
  const [first = "", second = ""] = stdout.split("\n");
  expect(first.split("\t").slice(1)).toEqual(["send_welcome", "0", "-", "0", "-", "0", "-", "1", "-", "-"]);
  expect(second.split("\t").slice(1)).toEqual(["send_welcome", "0", "0", "0", "0", "0", "0", "1", "0", "-"]);
});

it("stats --watch in a terminal draws over what it has drawn", async () => {
  const transport = await withDeadLetters([1]);
  const ending = new AbortController();
  const { stdout } = await papa(["stats", "--watch", "--interval", "5ms"], {
    transport,
    terminal: true,
    env: { NO_COLOR: "1" },
    signal: ending.signal,
    onOutput: (text) => text.includes("\u001b[2A\u001b[0J") && ending.abort(),
  });
  expect(stdout).toMatch(/^USE CASE +READY +\+\/s/);
});

it("stats --watch waits for a broker that was there, and not for one that never was", async () => {
  const transport = await withDeadLetters([1]);
  const ending = new AbortController();
  let seen = 0;
  const watched = await papa(["stats", "--watch", "--interval", "5ms", "--json"], {
    transport,
    signal: ending.signal,
    onOutput: () => {
      seen += 1;
      if (seen === 1) {
        transport.disconnect();
        setTimeout(() => transport.reconnect(), 30);
      } else ending.abort();
    },
  });
  expect(watched.code).toBe(0);
  expect(documents(watched.stdout)).toEqual([one, one]);
  transport.disconnect();
  expect(await papa(["stats", "--watch"], { transport })).toMatchObject({ code: 3 });
});
