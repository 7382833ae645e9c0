import { readFile } from "node:fs/promises";

const GUIDE = new URL("../../../../docs/brokers/redis-streams.md", import.meta.url);

/** The rules of the account that the guide has for a part, in a namespace with this prefix. */
export async function rulesOf(part: string, prefix: string): Promise<readonly string[]> {
  const line = await inGuide(new RegExp(`^ACL SETUSER ${part} (.*)$`, "m"));
  return line.replaceAll("{papa-events}", `{papa-events:${prefix}}`).split(" ");
}

/** What the guide has every account need on a cluster besides. */
export async function rulesOnCluster(): Promise<readonly string[]> {
  return (await inGuide(/^- On a Cluster all of them need `([^`]*)`/m)).split(" ");
}

async function inGuide(what: RegExp): Promise<string> {
  const found = what.exec(await readFile(GUIDE, "utf8"))?.[1];
  if (found === undefined) throw new Error(`the guide has no ${what}`);
  return found;
}
