import { spawn } from "node:child_process";
import { untilAllIsWell, untilThereAre } from "../site.ts";
import { DYING_SERVICE } from "./dying-service.ts";
import type { Cause } from "./situation.ts";

/** Among some images there is one that kills every process that handles it. */
export const poisonEvent: Cause = async (site, shell) => {
  // What a dead process held is taken over when its lease has ended.
  const url = `${site.url}&lease=500ms`;
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
