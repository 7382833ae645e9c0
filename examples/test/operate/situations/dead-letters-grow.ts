import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeadLetter, useCase } from "@papa-events/core";
import { z } from "zod";
import { untilAllIsWell, untilThereAre } from "../site.ts";
import { type Cause, failure } from "./situation.ts";

const User = z.object({ id: z.string(), address: z.string() });
const UNREACHABLE = 12;

/** A mail host is away, a publisher forgot a field, and one account is closed. */
export const deadLettersGrow: Cause = async (site, shell) => {
  const mail = { up: false, sent: new Set<string>() };
  const sendWelcome = useCase(
    "send_welcome",
    { on: "user.created", schema: User, retries: 1, retryDelay: "100ms" },
    ({ id, address }) => {
      if (address.endsWith("@closed.example")) throw new DeadLetter("the account is closed");
      if (!mail.up) throw failure("connect ECONNREFUSED mail.internal:25", "sendMail (/srv/shop/mailer/mail.ts:31:11)");
      mail.sent.add(id);
    },
  );
  const app = await site.service("mailer", [sendWelcome]);
  const ids = Array.from({ length: UNREACHABLE }, (_, n) => `u-${n + 1}`);
  for (const id of ids) await app.newEvent("user.created", { id, address: `${id}@example.com` });
  await app.newEvent("user.created", { id: "u-98", address: "somebody@closed.example" });
  await app.newEvent("user.created", { id: "u-99" });
  await untilThereAre(site, "send_welcome", { dead: UNREACHABLE + 2, ready: 0, waiting: 0 });

  return {
    meanwhile: {
      "the mail host is back": async () => {
        mail.up = true;
      },
      "the address is written into letters.jsonl": async () => {
        const file = join(shell.folder, "letters.jsonl");
        const letters = readFileSync(file, "utf8").trimEnd().split("\n");
        const mended = letters.map((line) => {
          const letter = JSON.parse(line) as { payload: object };
          return JSON.stringify({ ...letter, payload: { ...letter.payload, address: "u-99@example.com" } });
        });
        writeFileSync(file, `${mended.join("\n")}\n`);
      },
    },
    healthy: async () => {
      await untilAllIsWell(site, "send_welcome");
      const missing = [...ids, "u-99"].filter((id) => !mail.sent.has(id));
      if (missing.length > 0) throw new Error(`no mail was sent to ${missing}`);
    },
  };
};
