import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";

const source = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);

/** A program that runs an app until a signal, on a broker that does nothing; `close` is what its connection does at the end. */
function program(close: string): string {
  return `
    import { PapaApp } from ${source};
    const connection = {
      capabilities: { declarationsComplete: true, publishing: { eventsPerCall: 1, callsInFlight: 1, bytesPerCall: 1 } },
      declarations: { declare: async () => {}, list: async () => [], withdraw: async () => {} },
      subscribe: async () => ({ readAhead() {}, stop: async () => {} }),
      close: async () => { ${close} },
    };
    const app = new PapaApp({ transport: { name: "idle", connect: async () => connection } });
    app.onEvent("#", { useCase: "log" }, () => {});
    const signals = () => ["SIGINT", "SIGTERM"].map((name) => process.listenerCount(name)).join(" ");
    setImmediate(() => console.log("running", app.health().state, signals()));
    await app.run();
    console.log("ended", app.health().state, signals());
  `;
}

/** A process that runs an app, and what it has printed when it does. */
async function running(close: string) {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program(close)], { stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { text: "" };
  child.stdout.on("data", (data) => (output.text += String(data)));
  child.stderr.on("data", (data) => (output.text += String(data)));
  await said(child, output, "running");
  return { child, output };
}

async function said(child: ChildProcess, output: { text: string }, text: string): Promise<void> {
  while (!output.text.includes(text)) {
    if (child.exitCode !== null) throw new Error(`It ended: ${output.text}`);
    await once(child.stdout ?? child, "data");
  }
}

describe("run()", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "keeps the process alive until %s, stops, and leaves no listener",
    async (signal) => {
      const { child, output } = await running('console.log("closed");');
      child.kill(signal);
      const [code] = await once(child, "close");
      expect([code, output.text]).toEqual([0, "running running 1 1\nclosed\nended stopped 0 0\n"]);
    },
  );

  it("a second signal ends a stop that does not end", async () => {
    const { child, output } = await running(
      'console.log("closing"); await new Promise(() => setInterval(() => {}, 1_000));',
    );
    child.kill("SIGTERM");
    await said(child, output, "closing");
    child.kill("SIGTERM");
    const [, signal] = await once(child, "close");
    expect(signal).toBe("SIGTERM");
  });

  it("rejects when the app cannot start", async () => {
    const child = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { PapaApp } from ${source};
       const transport = { name: "gone", connect: async () => { throw new Error("no broker"); } };
       await new PapaApp({ transport }).run().catch((error) => console.log(error.message, process.listenerCount("SIGTERM")));`,
    ]);
    onTestFinished(() => void child.kill("SIGKILL"));
    let text = "";
    child.stdout.on("data", (data) => (text += String(data)));
    const [code] = await once(child, "close");
    expect([code, text]).toEqual([0, "no broker 0\n"]);
  });
});
