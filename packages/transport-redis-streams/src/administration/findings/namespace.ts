import type { Finding } from "@papa-events/core/transport";
import { lookAtKeys } from "../../scripts/look-at-keys.ts";
import type { DiagnosisOptions } from "../diagnose.ts";

/** From how many entries on the inbox is behind. */
const MANY_IN_INBOX = 1_000;

/** What is to be said of the namespace as a whole. */
export async function namespaceFindings(options: DiagnosisOptions): Promise<readonly Finding[]> {
  const { keys, connection } = options;
  const { client } = connection;
  const [tails, inInbox, reader, refused, bound, version] = await Promise.all([
    client.hlen(keys.tails),
    client.type(keys.inbox).then((type) => (type === "stream" ? client.xlen(keys.inbox) : 0)),
    client.exists(keys.inboxReader),
    client.type(keys.refused).then((type) => (type === "stream" ? client.xlen(keys.refused) : 0)),
    client.hlen(keys.bindings),
    client.exists(keys.version),
  ]);
  return [
    ...(await keyFindings(
      [
        [keys.version, "string"],
        [keys.bindings, "hash"],
        [keys.declarations, "hash"],
        [keys.removed, "hash"],
        [keys.useCases, "hash"],
        [keys.paused, "hash"],
        [keys.clock, "hash"],
        [keys.inbox, "stream"],
        [keys.refused, "stream"],
      ],
      options,
    )),
    ...ofInbox(keys.inbox, inInbox, reader === 1),
    ...(refused === 0
      ? []
      : [
          {
            severity: "warning" as const,
            what: `stream ${keys.refused}: ${refused} entries`,
            why: 'Other programs added them to the inbox without an event\'s name in the field "event". Nobody handles them; the latest 1,000 are kept.',
            remedy: `Look at them (XRANGE ${keys.refused} - + COUNT 10), correct the program, then UNLINK ${keys.refused}`,
          },
        ]),
    ...(bound === 0 || version === 1
      ? []
      : [
          {
            severity: "warning" as const,
            what: `key ${keys.version} is missing`,
            why: "Somebody has deleted it. Publishers wait until an app that declares use cases makes it again, within some seconds.",
            remedy: "Start an app that declares use cases.",
          },
        ]),
    ...(tails === 0
      ? []
      : [
          {
            severity: "info" as const,
            what: `${tails} ${tails === 1 ? "tail is" : "tails are"} open`,
            why: "Each costs publishers a copy of what it shows. One whose reader was killed ends within half a minute.",
            remedy: "None is needed.",
          },
        ]),
  ];
}

/** Finds keys of another type than they must have, and such that expire. */
export async function keyFindings(
  all: readonly (readonly [key: string, type: string])[],
  { connection }: DiagnosisOptions,
): Promise<readonly Finding[]> {
  const reply = (await connection.run(
    lookAtKeys,
    all.map(([key]) => key),
    all.map(([, type]) => type),
  )) as readonly (number | string)[];
  const findings: Finding[] = [];
  for (let at = 0; at + 2 < reply.length; at += 3) {
    const [key = "", expected = ""] = all[Number(reply[at])] ?? [];
    const found = String(reply[at + 1]);
    if (found !== expected)
      findings.push({
        severity: "error",
        what: `key ${key}: it is a ${found} and must be a ${expected}`,
        why: "Another program has written it. What depends on it stands still.",
        remedy: `RENAME ${key} to something outside this namespace, or use another prefix`,
      });
    else if (reply[at + 2] === "1")
      findings.push({
        severity: "error",
        what: `key ${key}: it expires`,
        why: "Somebody has set an expiry. The server will delete it with all that is in it.",
        remedy: `PERSIST ${key}`,
      });
  }
  return findings;
}

function* ofInbox(inbox: string, length: number, isRead: boolean): Generator<Finding> {
  if (length === 0 || (isRead && length < MANY_IN_INBOX)) return;
  yield {
    severity: "warning",
    what: `inbox ${inbox}: ${length} events of other programs are not forwarded`,
    why: isRead
      ? "The app that forwards them is behind, or held up."
      : "No app that consumes runs, which forwards them.",
    remedy: isRead ? "Look at the health of the apps." : "Start an app that declares use cases.",
  };
}
