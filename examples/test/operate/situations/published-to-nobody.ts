import { setInterval } from "node:timers/promises";
import { useCase } from "@papa-events/core";
import { until, untilAllIsWell } from "../site.ts";
import type { Cause } from "./situation.ts";

/** A publisher has misspelt an event's name. */
export const publishedToNobody: Cause = async (site) => {
  const welcomed = new Set<string>();
  const sendWelcome = useCase("send_welcome", { on: "user.created" }, (user) => {
    welcomed.add((user as { id: string }).id);
  });
  await site.service("mailer", [sendWelcome]);
  const warnings: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (_: object, text = "") => warnings.push(text),
    error: () => {},
  };
  const website = await site.service("website", [], { logger });
  const stopped = new AbortController();
  const name = { current: "user.create" };
  const publishing = (async () => {
    let n = 0;
    for await (const _ of setInterval(100, undefined, { signal: stopped.signal }))
      await website.newEvent(name.current, { id: `u-${++n}` });
  })().catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
  const stop = async () => {
    stopped.abort();
    await publishing;
  };
  site.afterwards(stop);
  await until("it is warned of", () => warnings.some((text) => text.includes('"user.create"')));

  return {
    meanwhile: {
      "the website is deployed with the right name": async () => {
        name.current = "user.created";
        await until("somebody is welcomed", () => welcomed.size > 0);
      },
    },
    healthy: async () => {
      await stop();
      await until("the one that was published by hand is welcomed", () => welcomed.has("u-1"));
      await untilAllIsWell(site, "send_welcome");
    },
  };
};
