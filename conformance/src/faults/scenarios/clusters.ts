import type { Broker, ClusterNode } from "../../brokers/index.ts";
import { pause } from "../../rig/until.ts";
import type { Stage } from "../stage/stage.ts";
import { type Scenario, whole } from "./scenario.ts";

/** How long a node is away, in milliseconds: longer than others take to lead in its place. */
const AWAY_MS = 12_000;
/** How long it serves before the next one goes, at least. */
const SERVING_MS = 8_000;

/** What happens to the nodes of a cluster. */
export const ofClusters: readonly Scenario[] = [
  {
    name: "each-broker-killed",
    what: "each node of the cluster in turn is killed (SIGKILL) and started again on its data 12 s later",
    times: 3,
    clustered: true,
    play: eachNode("kill", async (node) => {
      await node.kill();
      return () => node.restart();
    }),
  },
  {
    name: "each-broker-cut-off",
    what: "each node of the cluster in turn is cut off from the others for 12 s, in silence; clients still reach it",
    times: 3,
    clustered: true,
    play: eachNode("cut", async (node) => {
      await node.isolate();
      return () => node.rejoin();
    }),
  },
];

function eachNode(word: string, strike: (node: ClusterNode) => Promise<() => Promise<void>>): Scenario["play"] {
  return async (stage, times) => {
    const { ledger, events, notes, problems, target } = stage;
    // Slowly: the others go on meanwhile, and each fault has to find publishing and handling at work.
    (await stage.startPublisher({ rate: (events * 1_000) / (times * (AWAY_MS + SERVING_MS)) })).go();
    for (let time = 1; time <= times; time += 1) {
      await stage.handled((time - 0.9) / times);
      await whole(stage);
      const { confirmed, handled } = ledger;
      const node = nextNode(stage.broker.nodes, time);
      if (confirmed >= events) problems.push(`${word} ${time} found nothing to be published`);
      const end = await strike(node);
      await excused(stage, target.losesWithNode, pause(AWAY_MS));
      notes.push(
        `${word} ${time} at ${confirmed} confirmed, ${handled} handled; when it ended ${ledger.confirmed} and ${ledger.handled}`,
      );
      await end();
    }
    await stage.finish();
    if (target.losesWithNode !== undefined)
      notes.push(`lost with nodes, as documented: ${ledger.unhandled} events, ${ledger.withoutOutput} outputs`);
  };
}

/** While a node is away, what was confirmed shortly before another took over may be lost with it. */
async function excused({ ledger }: Stage, milliseconds: number | undefined, away: Promise<void>): Promise<void> {
  if (milliseconds !== undefined) {
    await pause(milliseconds);
    ledger.excuse(2 * milliseconds);
  }
  await away;
}

function nextNode(nodes: readonly Broker[], time: number): ClusterNode {
  const node = nodes[(time - 1) % nodes.length];
  if (node === undefined || !("isolate" in node)) throw new Error("a cluster without nodes");
  return node as ClusterNode;
}
