import { defineEvents, forEvents, type UseCase } from "@papa-events/core";
import { z } from "zod";

const repository = z.object({ full_name: z.string() });
const Release = z.object({ repository, release: z.object({ tag_name: z.string() }) });
const Package = z.object({ repository, package: z.object({ name: z.string(), ecosystem: z.string() }) });

const { useCase } = forEvents(
  defineEvents({
    "github.release.published": Release,
    "github.release.prereleased": Release,
    "github.package.published": Package,
  }),
);

/** Announces everything new to install: one use case on several names, each with a payload of its own. */
export function announceRelease(announced: Set<string>): UseCase {
  return useCase(
    "announce_release",
    { on: ["github.release.published", "github.release.prereleased", "github.package.published"] },
    (_payload, ctx) => {
      const { full_name } = ctx.payload.repository;
      switch (ctx.eventName) {
        case "github.package.published":
          announced.add(`${full_name}: ${ctx.payload.package.name} (${ctx.payload.package.ecosystem})`);
          break;
        case "github.release.prereleased":
          announced.add(`${full_name} ${ctx.payload.release.tag_name} for early testers`);
          break;
        case "github.release.published":
          announced.add(`${full_name} ${ctx.payload.release.tag_name}`);
          break;
      }
    },
  );
}
