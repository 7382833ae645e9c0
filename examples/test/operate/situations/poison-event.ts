import { spawn } from "node:child_process";
import { untilAllIsWell, untilThereAre } from "../site.ts";
import { DYING_SERVICE } from "./dying-service.ts";
import type { Cause } from "./situation.ts";

/** What has a broker notice soon that a process is dead. RabbitMQ hears of it at once. */
const SOON: Readonly<Record<string, string>> = { redis: "&lease=500ms", kafka: "&sessionTimeout=1000" };

/** Among some images there is one that kills every process that handles it. */
export const poisonEvent: Cause = async (site, shell) => {
  const url = `${site.url}${SOON[site.broker.kind] ?? ""}`;
  let child = spawn(process.execPath, [DYING_SERVICE, url], { stdio: "ignore" });
  let stopped = false;
  const restart = () => {
    if (stopped) return;
    child = spawn(process.execPath, [DYING_SERVICE, url], { stdio: "ignore" });
    child.once("exit", restart);
  };
  child.once("exit", restart);
  site.afterwards(async () => {
    stopped = true;
    child.kill("SIGTERM");
  });

  await untilThereAre(site, "resize_image", { ready: 0 });
  for (const width of [640, 4_000_000, 800]) await site.ops.publish("image.uploaded", { file: `${width}.png`, width });
  await untilThereAre(site, "resize_image", { dead: 1, ready: 0, inFlight: 0 });
  shell.program("editor", `sed -i 's/"width": *4000000/"width": 4000/' "$1"`);

  return { healthy: () => untilAllIsWell(site, "resize_image") };
};
